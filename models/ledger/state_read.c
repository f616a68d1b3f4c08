#include "models/ledger/vault_impl.h"

/* What may be asked of a committed state, by any thread that holds it. */

const struct dc_meta *dc_state_meta(const struct dc_state *state)
{
    return &state->meta;
}

const struct dc_params *dc_state_params(const struct dc_state *state)
{
    return dc_ledger_params(state->ledger, state->meta.epoch);
}

struct dc_hash dc_state_root(const struct dc_state *state)
{
    return state->root;
}

static uint64_t state_tree_bytes(const struct dc_tree_class *class, const struct dc_tree *tree)
{
    uint8_t text[DC_TREE_ENCODED_MAX];
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < tree->count; i++)
        bytes += class->encode(dc_tree_get(tree, i), text);
    return bytes;
}

uint64_t dc_state_bytes(const struct dc_state *s)
{
    uint64_t work = s->work->members * sizeof(struct dc_member_work) +
                    (uint64_t)DC_LATE_VOTE_HEIGHTS * dc_work_bitmap_bytes(s->work->members);
    return state_tree_bytes(&dc_state_account_class, &s->accounts) +
           state_tree_bytes(&dc_state_account_class, &s->past) +
           state_tree_bytes(&dc_state_deal_class, &s->deals) +
           state_tree_bytes(&dc_state_tally_class, &s->tallies) +
           state_tree_bytes(&dc_state_report_class, &s->reports) + work + dc_vault_bytes(s->vault);
}

const struct dc_account *dc_state_account(const struct dc_state *state, uint32_t id)
{
    return dc_tree_get(&state->accounts, id);
}

const struct dc_deal *dc_state_deal(const struct dc_state *state, uint32_t id)
{
    return dc_tree_get(&state->deals, id);
}

const struct dc_tally *dc_state_tally(const struct dc_state *state, uint32_t id)
{
    uint32_t stride = state->ledger->tally_stride;
    const struct dc_tally_leaf *leaf = dc_tree_get(&state->tallies, dc_tally_leaf_of(id, stride));
    return &leaf->of[dc_tally_place(id, stride)];
}

int64_t dc_state_allowance_ns(const struct dc_state *state, uint8_t region_a, uint8_t region_b)
{
    const struct dc_ledger *l = state->ledger;
    if (region_a >= l->regions || region_b >= l->regions)
        return 0;
    return l->allowance_ns[(size_t)region_a * l->regions + region_b];
}

/* Parts of the root beside that of the accounts. */
static uint32_t state_others(const struct dc_state *state)
{
    return state->vault != NULL ? DC_STATE_PARTS - 1 : DC_STATE_PARTS - 2;
}

size_t dc_state_prove_size_max(const struct dc_state *state)
{
    return 3 + dc_state_account_class.encoded_max + 96 * (size_t)state->accounts.depth +
           32 * (size_t)state_others(state);
}

size_t dc_state_prove(const struct dc_state *state, uint32_t id, uint8_t *out, size_t out_max)
{
    const void *leaf = dc_tree_get(&state->accounts, id);
    if (leaf == NULL)
        return 0;
    uint8_t text[DC_TREE_ENCODED_MAX];
    size_t size = dc_state_account_class.encode(leaf, text);
    struct dc_hash path[3 * DC_TREE_DEPTH_MAX];
    dc_tree_prove(&state->accounts, id, path);
    struct dc_writer w = dc_writer(out, out_max);
    dc_write8(&w, (uint8_t)state->accounts.depth);
    dc_write16(&w, (uint16_t)size);
    dc_write(&w, text, size);
    dc_write(&w, path, 96 * (size_t)state->accounts.depth);
    dc_write(&w, state->part[0].b, 32);
    dc_write(&w, state->part[2].b, 32 * (size_t)(state_others(state) - 1));
    return w.failed ? 0 : w.size;
}

bool dc_state_prove_check(const struct dc_hash *root, uint32_t id, const uint8_t *proof,
                          size_t size)
{
    struct dc_reader r = dc_reader(proof, size);
    uint32_t depth = dc_read8(&r);
    size_t leaf_size = dc_read16(&r);
    const uint8_t *leaf = dc_read_in_place(&r, leaf_size);
    const uint8_t *path = dc_read_in_place(&r, 96 * (size_t)depth);
    struct dc_hash part[DC_STATE_PARTS] = {{{0}}};
    dc_read(&r, part[0].b, 32);
    dc_read(&r, part[2].b, 32 * (DC_STATE_PARTS - 3));
    bool vault = !r.failed && r.offset != r.size;
    if (vault)
        dc_read(&r, part[DC_STATE_PARTS - 1].b, 32);
    if (!dc_read_done(&r) || leaf_size > DC_TREE_ENCODED_MAX ||
        (vault && dc_hash_is_zero(&part[DC_STATE_PARTS - 1])))
        return false;
    struct dc_hash h = dc_tree_leaf_hash(&dc_state_account_class, id, leaf, leaf_size);
    if (!dc_tree_fold(&h, id, depth, path, &part[1]))
        return false;
    h = dc_state_parts_root(part);
    return dc_hash_equal(&h, root);
}

void dc_state_heartbeat(const struct dc_state *state, uint32_t id, uint8_t out[8])
{
    uint8_t text[4 + DC_TREE_ENCODED_MAX];
    memcpy(text, state->meta.beacon.b, 32);
    dc_put32(text + 32, id);
    struct dc_hash h = dc_hash_bytes(DC_DOMAIN_HEARTBEAT, text, 36);
    const void *leaf = dc_tree_get(&state->accounts, dc_state_sync_account(state, &h));
    dc_put32(text, id);
    size_t size = dc_state_account_class.encode(leaf, text + 4);
    h = dc_hash_bytes(DC_DOMAIN_HEARTBEAT, text, 4 + size);
    memcpy(out, h.b, 8);
}

uint32_t dc_state_sync_account(const struct dc_state *state, const struct dc_hash *nonce)
{
    return (uint32_t)((unsigned __int128)dc_hash_u64(nonce) * state->meta.accounts >> 64);
}

uint64_t dc_state_capacity(const struct dc_params *p, const struct dc_account *a)
{
    if (p->bond_per_unit == 0)
        return a->capacity_bytes;
    unsigned __int128 covered = ((unsigned __int128)a->bond << 30) / p->bond_per_unit;
    return covered < a->capacity_bytes ? (uint64_t)covered : a->capacity_bytes;
}

bool dc_account_may(const struct dc_account *a, uint64_t height, uint32_t roles)
{
    return (a->roles & roles) != 0 && !a->revoked && !a->posync.ejected &&
           a->valid_from <= height && height < a->valid_to;
}

uint64_t dc_state_heartbeat_includable(const struct dc_state *parent, uint32_t id, uint64_t height)
{
    /* Due heights follow the period of the epoch that they lie in. */
    const struct dc_params *p = dc_state_params(parent);
    uint64_t epoch_first = (parent->meta.epoch * p->epoch_blocks) + 1;
    for (uint64_t due = height - 1; due > 0 && due + p->heartbeat_lifetime >= height; due--) {
        uint32_t every =
            due >= epoch_first ? parent->meta.heartbeat_every : parent->meta.heartbeat_every_before;
        if (dc_posync_heartbeat_due(due, id, every))
            return due;
    }
    return 0;
}

bool dc_state_heartbeat_seen(const struct dc_state *state, uint32_t id, uint64_t due_height)
{
    return dc_state_tally(state, id)->last_due >= due_height;
}

bool dc_state_conserved(const struct dc_state *state)
{
    const struct dc_meta *m = &state->meta;
    unsigned __int128 sum = (unsigned __int128)m->escrow + m->fund + dc_state_vault(state)->pool;
    for (uint32_t id = 0; id < m->accounts; id++) {
        const struct dc_account *a = dc_state_account(state, id);
        sum += (unsigned __int128)a->balance + a->bond;
        for (uint32_t i = 0; i < DC_UNBONDING_MAX; i++)
            sum += a->unbonding[i].amount;
    }
    unsigned __int128 held = 0;
    for (uint32_t id = 0; id < dc_state_vault(state)->contracts; id++)
        held += dc_state_contract(state, id)->money;
    return m->minted >= m->burned && sum == m->minted - m->burned && held <= m->escrow;
}
