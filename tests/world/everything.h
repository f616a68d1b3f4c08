/* A small world with everything in it: every strategy, every detector, every adaptive part, uneven
 * machines and links, traces, crowds, a griefer. */
#ifndef TESTS_WORLD_EVERYTHING_H
#define TESTS_WORLD_EVERYTHING_H

static const char *const everything =
    "name: everything\n"
    "seed: 1\n"
    "duration: 5 epochs\n"
    "network: {regions: data/aws-regions.csv, bandwidth: 100 Mbit,"
    " overlay: {kind: k_regular, degree: 4}}\n"
    "nodes:\n"
    "  - {name: val, role: validator, count: 10, bond: 2000 DSYNC}\n"
    "  - {name: odd, role: validator, count: 3, bond: 500 DSYNC, strategy: lying}\n"
    "  - {name: sto, role: service, service: storage, count: 36, bond: 1000 DSYNC,\n"
    "     strategy: {honest: 0.4, rational: 0.3, sybil(3): 0.1, outsourcer: 0.1, burst(0.25): "
    "0.1},\n"
    "     rational: {options: {honest: 0.5, ghost: 0.2, washer: 0.2, partial(0.3): 0.1},\n"
    "       revise: 0.5, explore: 0.1, strata: 2},\n"
    "     load_noise: 0.3, chunk_time: 'lognormal(0.1 ms, 0.5)',\n"
    "     access_delay: 'lognormal(5 ms, 0.5)', customers: 3,\n"
    "     links: [{share: 0.8, loss: 0.1 %}, {share: 0.2, loss: 3 %}]}\n"
    "  - {name: wash, role: service, service: storage, count: 5, bond: 1000 DSYNC,"
    " strategy: washer(3)}\n"
    "  - {name: trc, role: service, service: storage, count: 5, bond: 1000 DSYNC,"
    " trace: data/idle-trace.csv}\n"
    "  - {name: cli, role: client, count: 8, demand: {arrivals: poisson(0.5 /s),\n"
    "     flash: [{at: 20 s, for: 10 s, factor: 5, focus: 0.5}],\n"
    "     diurnal: {amplitude: 0.5, period: 60 s}}}\n"
    "protocol: {epoch_blocks: 12, answer_heights: 24, abandon_heights: 120, theta: 0.3, audit: "
    "0.2,\n"
    "  theta_mode: adaptive, load_target: 0.5, trigger: either, ready: on, quiet: on,\n"
    "  difficulty: history, budget: 30, order: ucb, combine: fisher,\n"
    "  detectors: [ewma, mad, cusum, iforest, hst], fdr: 0.5}\n"
    "faults:\n"
    "  - {id: grudge, at: 10 s, for: 40 s, kind: grief, nodes: sto, count: 3, latency_add: 3 s}\n"
    "  - {id: gone, at: 30 s, kind: crash, nodes: 'sto[0..8]', restart: 5 s}\n";

#endif
