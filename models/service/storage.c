/* Content, possession and its proof; see storage.h for the idea and the tree.
 *
 *   proof = sample 0 | sample 1 | ...    sample = deal id 4 | chunk 4096 | path 32 x depth
 *
 * Prover and verifier must agree under which root a chunk is shown, and the chain moves while a
 * challenge is on its way: both ask storage_covering of one and the same state. */
#include "models/service/storage.h"

#include "models/base/bytes.h"
#include "models/base/mem.h"
#include "models/base/rng.h"
#include "models/crypto/expand.h"

uint32_t dc_content_depth(uint64_t chunks)
{
    uint32_t depth = DC_CONTENT_LEVELS;
    while (depth < 63 && ((uint64_t)1 << depth) < chunks)
        depth++;
    return depth;
}

void dc_content_chunk(const struct dc_content *c, uint64_t index, uint8_t out[DC_CHUNK_BYTES])
{
    dc_expand(&c->seed, index % DC_CONTENT_PERIOD, out, DC_CHUNK_BYTES);
}

void dc_content_init(struct dc_content *c, const struct dc_hash *seed)
{
    uint8_t chunk[DC_CHUNK_BYTES];
    c->seed = *seed;
    for (uint64_t i = 0; i < DC_CONTENT_PERIOD; i++) {
        dc_content_chunk(c, i, chunk);
        c->leaf[i] = dc_hash_bytes(DC_DOMAIN_CHUNK, chunk, sizeof chunk);
    }
}

/* The node at `level` (0: leaves) that covers the leaves from index << level on, inside a
 * period. */
static struct dc_hash content_node(const struct dc_content *c, uint32_t level, uint64_t index)
{
    if (level == 0)
        return c->leaf[index % DC_CONTENT_PERIOD];
    struct dc_hash l = content_node(c, level - 1, 2 * index);
    struct dc_hash r = content_node(c, level - 1, 2 * index + 1);
    return dc_hash_pair(DC_DOMAIN_FILLER, &l, &r);
}

struct dc_hash dc_content_root(const struct dc_content *c, uint64_t chunks)
{
    struct dc_hash h = content_node(c, DC_CONTENT_LEVELS, 0);
    for (uint32_t level = DC_CONTENT_LEVELS; level < dc_content_depth(chunks); level++)
        h = dc_hash_pair(DC_DOMAIN_FILLER, &h, &h);
    return h;
}

void dc_content_path(const struct dc_content *c, uint64_t chunks, uint64_t index,
                     struct dc_hash *out)
{
    for (uint32_t level = 0; level < DC_CONTENT_LEVELS; level++)
        out[level] = content_node(c, level, (index % DC_CONTENT_PERIOD >> level) ^ 1);
    struct dc_hash h = content_node(c, DC_CONTENT_LEVELS, 0);
    for (uint32_t level = DC_CONTENT_LEVELS; level < dc_content_depth(chunks); level++) {
        out[level] = h;
        h = dc_hash_pair(DC_DOMAIN_FILLER, &h, &h);
    }
}

bool dc_content_check(const struct dc_hash *root, uint64_t chunks, uint64_t index,
                      const uint8_t *chunk, const uint8_t *path)
{
    if (index >= chunks)
        return false;
    struct dc_hash h = dc_hash_bytes(DC_DOMAIN_CHUNK, chunk, DC_CHUNK_BYTES);
    for (uint32_t level = 0; level < dc_content_depth(chunks); level++) {
        struct dc_hash sibling;
        memcpy(sibling.b, path + 32 * level, 32);
        h = (index >> level & 1) != 0 ? dc_hash_pair(DC_DOMAIN_FILLER, &sibling, &h)
                                      : dc_hash_pair(DC_DOMAIN_FILLER, &h, &sibling);
    }
    return dc_hash_equal(&h, root);
}

struct dc_hash dc_filler_seed(const uint8_t node_key[32])
{
    return dc_hash_bytes(DC_DOMAIN_FILLER, node_key, 32);
}

struct dc_hash dc_object_seed(const uint8_t client_key[32], uint64_t object)
{
    uint8_t text[40];
    memcpy(text, client_key, 32);
    dc_put64(text + 32, object);
    return dc_hash_bytes(DC_DOMAIN_CHUNK, text, sizeof text);
}

bool dc_disk_has(const struct dc_disk *disk, uint64_t chunk)
{
    return dc_mix64(disk->key ^ dc_mix64(chunk)) >> 33 >= disk->missing;
}

void dc_storage_init(struct dc_storage *s, const struct dc_content *filler, uint64_t capacity_bytes)
{
    memset(s, 0, sizeof *s);
    s->chunks = capacity_bytes / DC_CHUNK_BYTES;
    if (filler != NULL)
        s->filler = *filler;
}

void dc_storage_free(struct dc_storage *s)
{
    dc_mem_free(s->held);
    s->held = NULL;
    s->held_count = s->held_max = 0;
}

void dc_storage_hold(struct dc_storage *s, const struct dc_held *held)
{
    if (s->held_count == s->held_max) {
        uint32_t grown = s->held_max == 0 ? 1 : 2 * s->held_max;
        struct dc_held *more = dc_mem_grow(s->held, grown, sizeof *more);
        DC_CHECK(more != NULL);
        s->held = more;
        s->held_max = grown;
    }
    s->writes++;
    uint32_t i = s->held_count++;
    while (i > 0 && s->held[i - 1].offset_chunk > held->offset_chunk) {
        s->held[i] = s->held[i - 1];
        i--;
    }
    s->held[i] = *held;
}

const struct dc_held *dc_storage_find(const struct dc_storage *s, uint64_t chunk)
{
    uint32_t low = 0, high = s->held_count; /* first held deal that starts after chunk */
    while (low < high) {
        uint32_t mid = low + (high - low) / 2;
        if (s->held[mid].offset_chunk > chunk)
            high = mid;
        else
            low = mid + 1;
    }
    if (low == 0)
        return NULL;
    const struct dc_held *h = &s->held[low - 1];
    return chunk - h->offset_chunk < h->chunks ? h : NULL;
}

size_t dc_storage_proof_max(const struct dc_storage *s, uint32_t k)
{
    return k * (4 + DC_CHUNK_BYTES + 32 * (size_t)dc_content_depth(s->chunks));
}

static void storage_write_sample(struct dc_writer *w, const struct dc_content *c, uint32_t deal,
                                 uint64_t chunks, uint64_t index)
{
    uint8_t chunk[DC_CHUNK_BYTES];
    struct dc_hash path[64];
    dc_content_chunk(c, index, chunk);
    dc_content_path(c, chunks, index, path);
    dc_write32(w, deal);
    dc_write(w, chunk, sizeof chunk);
    dc_write(w, path, sizeof path[0] * dc_content_depth(chunks));
}

/* The deal of the node that covers a chunk, expired or not, or DC_DEAL_NONE. */
static uint32_t storage_covering(const struct dc_state *state, const struct dc_account *a,
                                 uint64_t chunk)
{
    if (chunk >= a->used_chunks)
        return DC_DEAL_NONE;
    for (uint32_t id = a->deal_last; id != DC_DEAL_NONE;) {
        const struct dc_deal *d = dc_state_deal(state, id);
        if (chunk >= d->offset_chunk && chunk - d->offset_chunk < dc_chunks_of(d->size_bytes))
            return id;
        id = d->prev;
    }
    return DC_DEAL_NONE;
}

static const struct dc_held *storage_find_deal(const struct dc_storage *s, uint32_t deal)
{
    for (uint32_t i = 0; deal != DC_DEAL_NONE && i < s->held_count; i++)
        if (s->held[i].deal == deal)
            return &s->held[i];
    return NULL;
}

/* The held deal under which a chunk is to be shown in `state`, or NULL: as filler. */
static const struct dc_held *storage_shown(const struct dc_storage *s, const struct dc_state *state,
                                           uint32_t node, uint64_t chunk)
{
    const struct dc_account *a = dc_state_account(state, node);
    return a == NULL ? NULL : storage_find_deal(s, storage_covering(state, a, chunk));
}

/* Whether a chunk is to be shown as a deal's; asked of a disk that makes a difference of it alone. */
static bool storage_dealt(const struct dc_storage *s, const struct dc_state *state, uint32_t node,
                          uint64_t chunk)
{
    return s->disk.filler_only && storage_shown(s, state, node, chunk) != NULL;
}

size_t dc_storage_prove_at(const struct dc_storage *s, const struct dc_state *state, uint32_t node,
                           const uint64_t *sample, uint32_t k, uint8_t *out, size_t out_max,
                           uint32_t *proved)
{
    *proved = 0;
    for (uint32_t i = 0; i < k; i++)
        *proved += dc_disk_shows(&s->disk, sample[i], storage_dealt(s, state, node, sample[i]));
    if (*proved < k)
        return 0;
    struct dc_writer w = dc_writer(out, out_max);
    for (uint32_t i = 0; i < k; i++) {
        const struct dc_held *h = storage_shown(s, state, node, sample[i]);
        if (h != NULL) {
            storage_write_sample(&w, &h->content, h->deal, h->chunks, sample[i] - h->offset_chunk);
        } else {
            storage_write_sample(&w, &s->filler, DC_DEAL_NONE, s->chunks, sample[i]);
        }
    }
    DC_CHECK(!w.failed);
    return w.size;
}

/* Whether a chunk may be shown under deal `id` (DC_DEAL_NONE: as filler). */
static bool storage_may_show(const struct dc_state *state, const struct dc_account *a,
                             uint64_t chunk, uint32_t id)
{
    uint32_t covering = storage_covering(state, a, chunk);
    if (id == covering)
        return true;
    return id == DC_DEAL_NONE &&
           dc_state_deal(state, covering)->end_epoch <= dc_state_meta(state)->epoch;
}

enum dc_answer_verdict dc_storage_judge(const struct dc_state *state, uint32_t node,
                                        const uint64_t *sample, uint32_t k, const uint8_t *proof,
                                        size_t size)
{
    const struct dc_account *a = dc_state_account(state, node);
    if (a == NULL)
        return DC_ANSWER_UNJUDGED;
    uint64_t capacity = a->capacity_bytes / DC_CHUNK_BYTES;
    struct dc_reader r = dc_reader(proof, size);
    bool holds = true;
    for (uint32_t i = 0; i < k; i++) {
        uint32_t id = dc_read32(&r);
        if (r.failed || !storage_may_show(state, a, sample[i], id))
            return DC_ANSWER_UNJUDGED;
        const struct dc_deal *d = id == DC_DEAL_NONE ? NULL : dc_state_deal(state, id);
        uint64_t chunks = d != NULL ? dc_chunks_of(d->size_bytes) : capacity;
        uint64_t index = d != NULL ? sample[i] - d->offset_chunk : sample[i];
        const struct dc_hash *root = d != NULL ? &d->root : &a->filler_root;
        const uint8_t *chunk = dc_read_in_place(&r, DC_CHUNK_BYTES);
        const uint8_t *path = dc_read_in_place(&r, 32 * (size_t)dc_content_depth(chunks));
        if (r.failed)
            return DC_ANSWER_UNJUDGED;
        holds = holds && dc_content_check(root, chunks, index, chunk, path);
    }
    if (!dc_read_done(&r))
        return DC_ANSWER_UNJUDGED;
    return holds ? DC_ANSWER_VALID : DC_ANSWER_INVALID;
}

bool dc_storage_check(const struct dc_state *state, uint32_t node, const uint64_t *sample,
                      uint32_t k, const uint8_t *proof, size_t size)
{
    return dc_storage_judge(state, node, sample, k, proof, size) == DC_ANSWER_VALID;
}
