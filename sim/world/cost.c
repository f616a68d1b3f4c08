/* What work costs virtual processor time: version 1 of the table.
 *
 * Modelled, not executed: constants measured on one core of a 2020s server (libsodium 1.0.18), so
 * that results do not depend on the machine that runs the simulator.  They are charged whether the
 * simulator did the work or remembered its answer.  `cpu.cores` and `cpu.speed` divide them. */
#include "sim/world/inside.h"

static const uint32_t cost_ns[DC_COST_COUNT] = {
    [DC_COST_SIGN] = 13000,        [DC_COST_VERIFY] = 38000, [DC_COST_VRF_PROVE] = 201000,
    [DC_COST_VRF_VERIFY] = 315000, [DC_COST_HASH] = 250,     [DC_COST_LEAF] = 5000,
    [DC_COST_TX] = 1000,           [DC_COST_MESSAGE] = 2000, [DC_COST_KIB] = 500,
    [DC_COST_CHUNK] = 100000,
};
const uint32_t world_chunk_ns = 100000;

void world_costs(struct ds_world *w)
{
    const struct ds_cpu *cpu = &w->scenario->cpu;
    for (int i = 0; i < DC_COST_COUNT; i++) {
        double q8 = cpu->none ? 0 : cost_ns[i] * 256.0 / (cpu->cores * cpu->speed);
        w->cost_ns_q8[i] = q8 > 4e9 ? 4000000000u : (uint32_t)(q8 + 0.5);
    }
}
