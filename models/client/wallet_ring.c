/* Rings: which notes stand around the one that is spent, and the payment that they hide.
 *
 * Whoever looks at a ring asks which member is of a likely age.  So decoys are drawn as spent notes
 * are: Monero's wallet draws ages from exp(Gamma(19.28, 1/1.61)) seconds, fitted to real spends
 * (Moeser et al., "An empirical analysis of traceability in the Monero blockchain", PETS 2018, 5),
 * and turns an age into a number of notes by the mean time between notes.  Here, in integers:
 *
 *     age       a table of 129 quantiles, linear in between, cut where the chain's first note is
 *     scale     a height counts as one of Monero's blocks, 120 s
 *     number    age x notes ever made / heights; so many notes before the newest that is old enough
 *
 * Genesis' decoys are the oldest notes of all: while a chain is young most draws end among them. */
#include "models/client/wallet.h"

#include "models/wire/tx.h"

#define RING_SECONDS_PER_HEIGHT 120u
#define RING_STEPS 128u
#define RING_TRIES 64u /* draws that may find a note taken, for each that is wanted */

/* Ages in seconds at the quantiles i / 128; the last at 511/512. */
static const uint32_t ring_age[RING_STEPS + 1] = {
    0,         596,       964,        1322,     1686,     2062,     2454,     2862,     3290,
    3739,      4209,      4702,       5220,     5763,     6333,     6932,     7559,     8218,
    8908,      9632,      10392,      11188,    12023,    12899,    13817,    14778,    15787,
    16843,     17951,     19112,      20329,    21604,    22941,    24342,    25811,    27351,
    28965,     30658,     32433,      34295,    36248,    38297,    40447,    42703,    45072,
    47558,     50169,     52912,      55793,    58821,    62004,    65350,    68870,    72573,
    76471,     80574,     84896,      89449,    94248,    99308,    104647,   110281,   116229,
    122513,    129154,    136178,     143608,   151475,   159808,   168640,   178007,   187949,
    198508,    209730,    221667,     234373,   247910,   262343,   277747,   294202,   311797,
    330630,    350809,    372456,     395704,   420701,   447615,   476632,   507959,   541832,
    578516,    618308,    661549,     708624,   759972,   816099,   877583,   945094,   1019406,
    1101423,   1192200,   1292978,    1405225,  1530686,  1671448,  1830028,  2009478,  2213535,
    2446807,   2715041,   3025471,    3387312,  3812459,  4316487,  4920121,  5651459,  6549405,
    7669155,   9091288,   10937496,   13399217, 16793136, 21677475, 29121311, 41417990, 64374540,
    117263175, 311221247, 1905925286,
};

/* Numbers that nobody else can foresee; others after a lost store, when `number` begins again. */
struct ring_draw {
    const uint8_t *seed;
    uint64_t number, height, next;
    uint32_t input;
};

static uint64_t ring_next(struct ring_draw *d)
{
    struct dc_hasher h;
    dc_hasher_init(&h, DC_DOMAIN_DECOY);
    dc_hasher_update(&h, d->seed, 32);
    dc_hasher_update64(&h, d->number);
    dc_hasher_update64(&h, d->height);
    dc_hasher_update64(&h, d->input);
    dc_hasher_update64(&h, d->next++);
    struct dc_hash out = dc_hasher_final(&h);
    return dc_hash_u64(&out);
}

static uint64_t ring_below(struct ring_draw *d, uint64_t n)
{
    return (uint64_t)((unsigned __int128)ring_next(d) * n >> 64);
}

/* An age in seconds, below limit > 0. */
static uint64_t ring_age_below(struct ring_draw *d, uint64_t limit)
{
    uint32_t k = 0;
    while (k < RING_STEPS && ring_age[k + 1] < limit)
        k++;
    /* Up to the quantile of the limit, in 2^-32 of a step. */
    uint64_t whole = (uint64_t)k << 32;
    if (k < RING_STEPS)
        whole += dc_muldiv(limit - ring_age[k], (uint64_t)1 << 32, ring_age[k + 1] - ring_age[k]);
    uint64_t at = ring_below(d, whole);
    uint32_t step = (uint32_t)(at >> 32);
    return ring_age[step] +
           (uint64_t)((unsigned __int128)(ring_age[step + 1] - ring_age[step]) * (uint32_t)at >>
                      32);
}

uint32_t dc_wallet_eligible(const struct dc_state *state)
{
    const struct dc_params *p = dc_state_params(state);
    uint64_t next = dc_state_meta(state)->height + 1;
    if (next < p->note_age)
        return 0;
    return dc_state_note_above(state, next - p->note_age);
}

/* One decoy among the notes below `eligible`. */
static uint32_t ring_decoy(struct ring_draw *d, const struct dc_state *state, uint32_t eligible)
{
    uint32_t decoys = dc_state_params(state)->decoys;
    uint64_t heights = dc_state_meta(state)->height;
    if (eligible <= decoys || heights == 0)
        return (uint32_t)ring_below(d, eligible);
    uint64_t made = eligible - decoys, seconds = heights * RING_SECONDS_PER_HEIGHT;
    uint64_t limit = dc_muldiv(eligible, seconds, made) + 1;
    uint64_t rank = dc_muldiv(ring_age_below(d, limit), made, seconds);
    return rank < eligible ? eligible - 1 - (uint32_t)rank : 0;
}

static bool ring_has(const uint32_t *id, uint32_t count, uint32_t one)
{
    for (uint32_t i = 0; i < count; i++)
        if (id[i] == one)
            return true;
    return false;
}

/* Fills id[ring], ascending, with `own` among them and returns its index. */
static uint32_t ring_choose(struct ring_draw *d, const struct dc_state *state, uint32_t own,
                            uint32_t eligible, uint32_t ring, uint32_t *id)
{
    uint32_t count = 1, tries = 0;
    id[0] = own;
    while (count < ring) {
        uint32_t one = tries++ < RING_TRIES * ring ? ring_decoy(d, state, eligible)
                                                   : (uint32_t)ring_below(d, eligible);
        if (!ring_has(id, count, one))
            id[count++] = one;
    }
    for (uint32_t i = 1; i < ring; i++)
        for (uint32_t k = i; k > 0 && id[k - 1] > id[k]; k--) {
            uint32_t swap = id[k];
            id[k] = id[k - 1];
            id[k - 1] = swap;
        }
    uint32_t index = 0;
    while (id[index] != own)
        index++;
    return index;
}

struct ring_memory {
    uint32_t id[DC_TRANSFER_INPUTS_MAX][DC_RING_MAX];
    struct dc_ring_member member[DC_TRANSFER_INPUTS_MAX][DC_RING_MAX];
};

static void ring_source(struct ring_draw *d, const struct dc_state *state,
                        const struct dc_wallet_note *note, uint32_t eligible, uint32_t ring,
                        struct ring_memory *m, struct dc_transfer_source *out)
{
    uint32_t *id = m->id[d->input];
    struct dc_ring_member *member = m->member[d->input];
    *out = (struct dc_transfer_source){.amount = note->amount, .id = id, .member = member};
    memcpy(out->key, note->key, 32);
    memcpy(out->blinding, note->blinding, 32);
    out->index = ring_choose(d, state, note->id, eligible, ring, id);
    for (uint32_t k = 0; k < ring; k++) {
        const struct dc_vault_note *n = dc_state_note(state, id[k]);
        memcpy(member[k].key, n->key, 32);
        memcpy(member[k].commitment, n->commitment, 32);
    }
}

/* The recipient's output and change, in an order that says nothing; or change alone. */
static void ring_targets(struct ring_draw *d, const struct dc_wallet_order *o,
                         struct dc_transfer_plan *plan, uint32_t *first)
{
    uint64_t in = 0;
    for (uint32_t i = 0; i < o->notes; i++)
        in = dc_add_money(in, o->note[i]->amount);
    uint64_t out = dc_add_money(dc_add_money(o->amount, o->fee), o->unshield);
    *first = o->to != NULL ? (uint32_t)(ring_next(d) & 1) : 1;
    plan->target[1 - *first] = (struct dc_transfer_target){o->change, dc_sub_money(in, out)};
    if (o->to != NULL)
        plan->target[*first] = (struct dc_transfer_target){o->to, o->amount};
}

size_t dc_wallet_pay(const struct dc_client_env *env, const uint8_t seed[32],
                     const struct dc_wallet_order *order, uint8_t *out, uint8_t key[2][32],
                     struct dc_effects *effects)
{
    const struct dc_params *p = dc_state_params(env->state);
    struct ring_memory m;
    struct ring_draw draw = {
        .seed = seed, .number = order->number, .height = dc_state_meta(env->state)->height};
    struct dc_transfer_plan plan = {.chain = env->config->chain,
                                    .inputs = order->notes,
                                    .outputs = order->to != NULL ? 2 : 1,
                                    .ring = p->ring,
                                    .fee = order->fee,
                                    .unshield = order->unshield,
                                    .to = order->unshield != 0 ? order->account : DC_NOBODY};
    uint8_t body[DC_TRANSFER_BYTES_MAX];
    uint32_t eligible = dc_wallet_eligible(env->state), first;
    if (eligible < p->ring)
        return 0;
    for (uint32_t i = 0; i < order->notes; i++) {
        draw.input = i;
        ring_source(&draw, env->state, order->note[i], eligible, p->ring, &m, &plan.source[i]);
    }
    ring_targets(&draw, order, &plan, &first);
    struct dc_hasher h;
    dc_hasher_init(&h, DC_DOMAIN_NOTE);
    dc_hasher_update(&h, seed, 32);
    dc_hasher_update64(&h, order->number);
    struct dc_hash own = dc_hasher_final(&h);
    memcpy(plan.seed, own.b, 32);
    effects->charge[DC_COST_RANGE_PROVE] += plan.outputs;
    effects->charge[DC_COST_RING_SIGN] += plan.inputs * plan.ring;
    effects->charge[DC_COST_POINT] += 3 * plan.outputs;
    struct dc_transfer made;
    struct dc_tx tx = {.kind = DC_TX_SHIELDED, .from = DC_NOBODY};
    tx.shielded.body = body;
    tx.shielded.size = (uint32_t)dc_transfer_prove(&plan, body);
    if (tx.shielded.size != 0 && order->bend != NULL && !order->bend(&plan, body, tx.shielded.size))
        return 0;
    if (tx.shielded.size == 0 || !dc_transfer_decode(body, tx.shielded.size, &made))
        return 0;
    memset(key, 0, 64);
    if (order->to != NULL)
        memcpy(key[0], made.output[first].to.key, 32);
    memcpy(key[order->to != NULL], made.output[1 - first].to.key, 32);
    return dc_tx_sign(env->config->crypto, plan.chain, NULL, &tx, out, DC_TRANSFER_BYTES_MAX);
}
