/* Images of a node's disk; layout and meaning in durable.h. */
#include "models/node/durable.h"

#include "models/base/mem.h"
#include "models/base/rng.h"
#include "models/client/wallet.h"
#include "models/consensus/image.h"

#define IMAGE_MAGIC 0x444e4344u /* "DCND" */
#define IMAGE_VERSION 2
#define IMAGE_HEAD_BYTES ((size_t)10)
#define IMAGE_SUM_BYTES DC_HASH_BYTES
#define HELD_BYTES ((size_t)(28 + 32 + 32 * DC_CONTENT_PERIOD + 32))
#define REPORT_BYTES ((size_t)24)

/* --- writing --------------------------------------------------------------------------------- */

static void write_held(struct dc_writer *w, const struct dc_held *h)
{
    dc_write32(w, h->deal);
    dc_write64(w, h->since);
    dc_write64(w, h->offset_chunk);
    dc_write64(w, h->chunks);
    dc_write(w, h->content.seed.b, DC_HASH_BYTES);
    dc_write(w, h->content.leaf, sizeof h->content.leaf);
    dc_write(w, h->root.b, DC_HASH_BYTES);
}

static void write_service(struct dc_writer *w, const struct dc_service_state *service)
{
    const struct dc_storage *s = &service->storage;
    dc_write8(w, service->demanded ? 1 : 0);
    dc_write32(w, s->disk.missing);
    dc_write8(w, s->disk.filler_only ? 1 : 0);
    dc_write64(w, s->writes);
    dc_write32(w, s->held_count);
    for (uint32_t i = 0; i < s->held_count; i++)
        write_held(w, &s->held[i]);
}

static void write_reports(struct dc_writer *w, const struct dc_client_reports *r)
{
    dc_write64(w, r->epoch);
    dc_write32(w, r->count);
    for (uint32_t i = 0; i < r->count; i++) {
        dc_write64(w, r->node[i].paid);
        dc_write32(w, r->node[i].node);
        dc_write32(w, r->node[i].sent);
        dc_write32(w, r->node[i].ok);
        dc_write32(w, r->node[i].timely);
    }
}

static void write_client(struct dc_writer *w, const struct dc_client *c)
{
    dc_write64(w, c->request_next);
    dc_write64(w, c->nonce_next);
    dc_write8(w, c->closed_sent ? 1 : 0);
    write_reports(w, &c->open);
    write_reports(w, &c->closed);
}

static size_t image_max(const struct dc_node *node)
{
    size_t size = IMAGE_HEAD_BYTES + IMAGE_SUM_BYTES + 128;
    size += node->validator != NULL ? dc_image_jolteon_max(&node->validator->jolteon)
                                    : dc_image_follow_max(node->chain);
    if (node->service != NULL)
        size += HELD_BYTES * node->service->storage.held_count;
    if (node->client != NULL)
        size += REPORT_BYTES * (node->client->open.count + node->client->closed.count);
    if (node->wallet != NULL)
        size += dc_wallet_image_max(node->wallet);
    return size + dc_apps_image_max(node->apps);
}

size_t dc_node_save(const struct dc_node *node, uint8_t **out)
{
    size_t max = image_max(node);
    uint8_t *bytes = *out = dc_mem_need(1, max, "a node's image");
    struct dc_writer w = dc_writer(bytes, max);
    dc_write32(&w, IMAGE_MAGIC);
    dc_write16(&w, IMAGE_VERSION);
    dc_write32(&w, 0); /* the size, once it is known */
    dc_write32(&w, node->id);
    dc_write8(&w, node->role);
    dc_write8(&w, node->strategy);
    dc_write8(&w, node->disk_lost ? 1 : 0);
    dc_write32(&w, node->renewal != NULL ? node->renewal->generation : 0);
    dc_write64(&w, node->heartbeat_due);
    dc_write64(&w, node->heartbeat_round);
    if (node->validator != NULL) {
        dc_write32(&w, node->validator->verifier.number_next);
        dc_image_write_jolteon(&w, &node->validator->jolteon);
    } else {
        dc_image_write_follow(&w, node->chain);
    }
    if (node->service != NULL)
        write_service(&w, node->service);
    if (node->client != NULL)
        write_client(&w, node->client);
    if (node->wallet != NULL)
        dc_wallet_write(node->wallet, &w);
    dc_apps_write(node->apps, &w);
    DC_CHECK(!w.failed);
    dc_put32(bytes + 6, (uint32_t)(w.size + IMAGE_SUM_BYTES));
    struct dc_hash sum = dc_hash_bytes(DC_DOMAIN_IMAGE, bytes, w.size);
    dc_write(&w, sum.b, IMAGE_SUM_BYTES);
    DC_CHECK(!w.failed);
    return w.size;
}

/* --- what changed ---------------------------------------------------------------------------- */

static uint64_t mark_reports(uint64_t mark, const struct dc_client_reports *r)
{
    mark = dc_mix64(mark ^ r->epoch ^ (uint64_t)r->count << 48);
    for (uint32_t i = 0; i < r->count; i++) {
        const struct dc_client_report *x = &r->node[i];
        mark = dc_mix64(mark ^ x->paid);
        mark = dc_mix64(mark ^ ((uint64_t)x->node << 32 | x->sent));
        mark = dc_mix64(mark ^ ((uint64_t)x->ok << 32 | x->timely));
    }
    return mark;
}

uint64_t dc_node_durable_mark(const struct dc_node *node)
{
    uint64_t few[DC_IMAGE_WORDS + 64], *word = few;
    size_t room = DC_IMAGE_WORDS + 2 * (size_t)node->chain->known_count + 8;
    if (room > sizeof few / sizeof few[0])
        word = dc_mem_need(room, sizeof *word, "a mark");
    uint32_t n = node->validator != NULL ? dc_image_words_jolteon(&node->validator->jolteon, word)
                                         : dc_image_words_follow(node->chain, word);
    word[n++] = node->heartbeat_due;
    word[n++] = node->heartbeat_round;
    word[n++] = (uint64_t)node->strategy << 8 | node->disk_lost;
    word[n++] = node->renewal != NULL ? node->renewal->generation : 0;
    word[n++] = node->validator != NULL ? node->validator->verifier.number_next : 0;
    if (node->service != NULL) {
        const struct dc_storage *s = &node->service->storage;
        word[n++] = s->writes << 1 | node->service->demanded;
        word[n++] = (uint64_t)s->disk.missing << 1 | s->disk.filler_only;
    }
    uint64_t mark = dc_digest64(word, n * sizeof *word);
    if (word != few)
        dc_mem_free(word);
    if (node->client != NULL) {
        const struct dc_client *c = node->client;
        mark = dc_mix64(mark ^ c->request_next);
        mark = dc_mix64(mark ^ (c->nonce_next << 1 | c->closed_sent));
        mark = mark_reports(mark_reports(mark, &c->open), &c->closed);
    }
    if (node->wallet != NULL)
        mark = dc_mix64(mark ^ dc_wallet_mark(node->wallet));
    if (node->apps != NULL)
        mark ^= dc_apps_mark(node->apps); /* 0 where there are no parts */
    return mark;
}

/* --- reading --------------------------------------------------------------------------------- */

/* The body of an image that is whole; false otherwise. */
static bool image_open(const uint8_t *image, size_t size, struct dc_reader *r)
{
    if (image == NULL || size < IMAGE_HEAD_BYTES + IMAGE_SUM_BYTES || size > UINT32_MAX)
        return false;
    *r = dc_reader(image, size - IMAGE_SUM_BYTES);
    if (dc_read32(r) != IMAGE_MAGIC || dc_read16(r) != IMAGE_VERSION || dc_read32(r) != size)
        return false;
    struct dc_hash sum = dc_hash_bytes(DC_DOMAIN_IMAGE, image, size - IMAGE_SUM_BYTES);
    return memcmp(sum.b, image + size - IMAGE_SUM_BYTES, IMAGE_SUM_BYTES) == 0;
}

struct image_who {
    uint32_t id, generation, number_next;
    uint8_t role, strategy, disk_lost;
    uint64_t heartbeat_due, heartbeat_round;
};

static bool read_who(struct dc_reader *r, struct image_who *who)
{
    who->id = dc_read32(r);
    who->role = dc_read8(r);
    who->strategy = dc_read8(r);
    who->disk_lost = dc_read8(r);
    who->generation = dc_read32(r);
    who->heartbeat_due = dc_read64(r);
    who->heartbeat_round = dc_read64(r);
    who->number_next = who->role == DC_NODE_VALIDATOR ? dc_read32(r) : 0;
    return !r->failed && who->disk_lost <= 1;
}

static bool read_service(struct dc_reader *r, struct dc_node *node, const struct image_who *who)
{
    struct dc_service_state *service = node->service;
    struct dc_storage *s = &service->storage;
    service->demanded = dc_read8(r) == 1;
    dc_q31 missing = dc_read32(r);
    bool filler_only = dc_read8(r) == 1;
    bool turned = node->strategy == DC_STRATEGY_BURST && who->strategy == DC_STRATEGY_GHOST;
    if (who->disk_lost || turned) { /* by its own doing, which the configuration does not tell */
        s->disk.missing = missing;
        s->disk.filler_only = filler_only;
        node->strategy = turned ? who->strategy : node->strategy;
    }
    uint64_t writes = dc_read64(r);
    uint32_t count = dc_read32(r);
    for (uint32_t i = 0; i < count && !r->failed; i++) {
        struct dc_held h = {.deal = dc_read32(r)};
        h.since = dc_read64(r);
        h.offset_chunk = dc_read64(r);
        h.chunks = dc_read64(r);
        dc_read(r, h.content.seed.b, DC_HASH_BYTES);
        dc_read(r, h.content.leaf, sizeof h.content.leaf);
        dc_read(r, h.root.b, DC_HASH_BYTES);
        if (!r->failed)
            dc_storage_hold(s, &h);
    }
    s->writes = writes;
    return !r->failed;
}

static bool read_reports(struct dc_reader *r, struct dc_client_reports *reports)
{
    reports->epoch = dc_read64(r);
    reports->count = dc_read32(r);
    if (reports->count > DC_CLIENT_REPORTS_MAX)
        return false;
    for (uint32_t i = 0; i < reports->count; i++) {
        reports->node[i].paid = dc_read64(r);
        reports->node[i].node = dc_read32(r);
        reports->node[i].sent = dc_read32(r);
        reports->node[i].ok = dc_read32(r);
        reports->node[i].timely = dc_read32(r);
    }
    return !r->failed;
}

static bool read_client(struct dc_reader *r, struct dc_client *c)
{
    c->request_next = dc_read64(r);
    c->nonce_next = dc_read64(r);
    c->closed_sent = dc_read8(r) == 1;
    return read_reports(r, &c->open) && read_reports(r, &c->closed);
}

/* Fills a node that was just made. */
static bool read_body(struct dc_reader *r, struct dc_node *node, const struct image_who *who)
{
    bool ok = node->validator != NULL
                  ? dc_image_read_jolteon(r, &node->validator->jolteon, &node->env)
                  : dc_image_read_follow(r, &node->follow, &node->env);
    if (node->validator != NULL)
        node->validator->verifier.number_next = who->number_next;
    node->heartbeat_due = who->heartbeat_due;
    node->heartbeat_round = who->heartbeat_round;
    node->disk_lost = who->disk_lost != 0;
    if (ok && node->service != NULL)
        ok = read_service(r, node, who);
    if (ok && node->client != NULL)
        ok = read_client(r, node->client);
    if (ok && node->wallet != NULL)
        ok = dc_wallet_read(node->wallet, r);
    ok = ok && dc_private_read(node, r);
    if (ok && node->renewal != NULL)
        dc_renewal_keys_on_chain(node);
    return ok && dc_read_done(r);
}

/* One whose store is lost: at genesis, with keys that never signed. */
static struct dc_node *node_lost(const struct dc_node_config *config, struct dc_error *error)
{
    uint32_t generation = config->incarnation != 0 ? config->incarnation : 1;
    bool validator = config->role == DC_NODE_VALIDATOR;
    struct dc_node *node = dc_node_create_keys(config, validator ? generation : 0, error);
    if (node != NULL && node->service != NULL && !validator) {
        node->disk_lost = true;
        node->service->storage.disk.missing = DC_ONE;
        node->service->storage.disk.filler_only = false;
    }
    return node;
}

struct dc_node *dc_node_recover(const struct dc_node_config *config, const uint8_t *image,
                                size_t size, bool *lost, struct dc_error *error)
{
    struct dc_reader r;
    struct image_who who;
    *lost = !image_open(image, size, &r) || !read_who(&r, &who) || who.id != config->id ||
            who.role != config->role;
    if (!*lost) {
        struct dc_node *node = dc_node_create_keys(config, who.generation, error);
        if (node == NULL || read_body(&r, node, &who))
            return node;
        dc_node_destroy(node);
        *lost = true;
    }
    return node_lost(config, error);
}

/* --- references ------------------------------------------------------------------------------ */

/* Finds what the image names, which takes a reference to each, and drops so many of each. */
static void image_blocks(struct dc_store *store, const uint8_t *image, size_t size, uint32_t drop)
{
    struct dc_reader r;
    struct image_who who;
    if (!image_open(image, size, &r) || !read_who(&r, &who))
        return;
    uint32_t max = (uint32_t)(size / 33) + 2; /* each known one is named in 33 bytes */
    struct dc_block **block = dc_mem_need(max, sizeof(struct dc_block *), "an image's blocks");
    uint32_t count = dc_image_blocks(&r, store, block, max);
    for (uint32_t i = 0; i < count; i++)
        for (uint32_t k = 0; k < drop; k++)
            dc_block_drop(block[i]);
    dc_mem_free(block);
}

void dc_node_image_hold(struct dc_store *store, const uint8_t *image, size_t size)
{
    image_blocks(store, image, size, 0);
}

void dc_node_image_drop(struct dc_store *store, const uint8_t *image, size_t size)
{
    image_blocks(store, image, size, 2);
}
