/* What work costs virtual processor time: version 2 of the table.
 *
 * Modelled, not executed: constants measured on one core of a 2020s server, so that results do not
 * depend on the machine that runs the simulator.  They are charged whether the simulator did the
 * work or remembered its answer.  `cpu.cores` and `cpu.speed` divide them.
 *
 * Version 1 are the first ten, measured with libsodium 1.0.18.  Version 2 adds what private
 * transfers, contracts and channels cost: medians of `destrasim bench crypto` (its `ratio` to the
 * Ed25519 verification of the same run, times the 38 us of that line), rounded. */
#include "sim/world/inside.h"

const struct ds_cost ds_costs[DC_COST_COUNT] = {
    [DC_COST_SIGN] = {"sign", "an Ed25519 signature", 13000},
    [DC_COST_VERIFY] = {"verify", "checking one", 38000},
    [DC_COST_VRF_PROVE] = {"vrf_prove", "an ECVRF proof", 201000},
    [DC_COST_VRF_VERIFY] = {"vrf_verify", "checking one", 315000},
    [DC_COST_HASH] = {"hash", "BLAKE2b-256 of up to 128 bytes, and of each 128 more", 250},
    [DC_COST_LEAF] = {"leaf", "a leaf of the state changed", 5000},
    [DC_COST_TX] = {"tx", "a transaction, beside its signature", 1000},
    [DC_COST_MESSAGE] = {"message", "receiving and decoding a message", 2000},
    [DC_COST_KIB] = {"kib", "each KiB of it", 500},
    [DC_COST_CHUNK] = {"chunk", "reading 4 KiB from storage", 100000},
    /* ratio 0.733 */
    [DC_COST_EXCHANGE] = {"exchange", "X25519", 28000},
    /* 0.010 for 64 bytes (ChaCha20-Poly1305) */
    [DC_COST_FRAME] = {"frame", "sealing or opening a frame", 370},
    /* 0.023 for a frame of 1 KiB, less the frame itself */
    [DC_COST_FRAME_KIB] = {"frame_kib", "each KiB of it", 500},
    /* 1.00: libdecaf, constant time */
    [DC_COST_POINT] = {"point", "a multiple of a point of ristretto255", 38000},
    /* 143 for one value; 122 each for eight */
    [DC_COST_RANGE_PROVE] = {"range_prove", "range proof, each value of 64 bits", 5400000},
    /* 24.3 for one value; 14.4 each for eight */
    [DC_COST_RANGE_VERIFY] = {"range_verify", "checking it, likewise", 925000},
    /* 34.7 for 11 members */
    [DC_COST_RING_SIGN] = {"ring_sign", "CLSAG, each member of the ring", 120000},
    /* 31.5 for 11 members */
    [DC_COST_RING_VERIFY] = {"ring_verify", "checking it, likewise", 109000},
    /* 2586 for 1024 gates */
    [DC_COST_GATE_PROVE] = {"gate_prove", "R1CS, each multiplication gate", 96000},
    /* 240 for 1024 gates */
    [DC_COST_GATE_VERIFY] = {"gate_verify", "checking it, likewise", 8900},
    /* 4.73 with the table of 25 MB */
    [DC_COST_LOGARITHM] = {"logarithm", "a discrete logarithm below 2^32", 180000},
    /* 7.75 */
    [DC_COST_BFV_ENCRYPT] = {"bfv_encrypt", "encrypting 4096 values", 295000},
    /* 0.170 */
    [DC_COST_BFV_ADD] = {"bfv_add", "a sum, or a product with a plain scalar", 6500},
    /* 2.24, with the transform of the factor */
    [DC_COST_BFV_MULTIPLY] = {"bfv_multiply", "a product with a plain polynomial", 85000},
    /* 7.62 */
    [DC_COST_BFV_SHARE] = {"bfv_share", "a partial decryption", 290000},
    /* 2.20 */
    [DC_COST_BFV_DECODE] = {"bfv_decode", "putting shares together", 83000},
};
const uint32_t world_chunk_ns = 100000;

void world_costs(struct ds_world *w)
{
    const struct ds_cpu *cpu = &w->scenario->cpu;
    for (int i = 0; i < DC_COST_COUNT; i++) {
        double q8 = cpu->none ? 0 : ds_costs[i].ns * 256.0 / (cpu->cores * cpu->speed);
        w->cost_ns_q8[i] = q8 > 4e9 ? 4000000000u : (uint32_t)(q8 + 0.5);
    }
}
