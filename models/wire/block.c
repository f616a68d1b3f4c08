/* Codec of blocks and certificates.
 *
 *   block     header 277 | parts 1 (bits: QC, TC, hand-over) | [QC | hand-over] [TC]
 *             | transactions 4 | each: size 4, bytes
 *   header    height 8, epoch 8, round 8, parent 32, timestamp 8, proposer 4, seal 1, VRF proof 80,
 *             beacon 32, state root 32, transaction root 32, committee root 32
 *   QC        epoch 8, round 8, block 32, commits 32, members 2, bitmap, signatures x 64
 *   TC        epoch 8, round 8, members 2, bitmap, signatures x (QC round 8, signature 64)
 *   hand-over epoch 8, seals 2, L: header 277 and H(rest) 32, each seal: the same, QC
 *
 * Certificates say their own size, so they stand in a block without a length.  Decoding is two
 * passes over a `layout`: the first finds the parts and checks the form, the second fills one
 * allocation that holds the object, what it contains and a copy of the bytes; references to any of
 * them count as references to the whole.  Every size is exact and every bit has a meaning, so
 * encoding a decoded object gives the same bytes. */
#include "models/wire/block.h"

#include <stdatomic.h>

#include "models/base/mem.h"

enum block_part { PART_QC = 1, PART_TC = 2, PART_HANDOVER = 4 };

#define QC_FIXED_BYTES ((size_t)82)
#define TC_FIXED_BYTES ((size_t)18)
#define TC_ENTRY_BYTES ((size_t)72)
#define HANDOVER_HEADER_BYTES (DC_HEADER_BYTES + DC_HASH_BYTES)

/* --- ids ------------------------------------------------------------------------------------- */

static struct dc_hash id_from(const uint8_t *header, const struct dc_hash *rest)
{
    uint8_t b[HANDOVER_HEADER_BYTES];
    memcpy(b, header, DC_HEADER_BYTES);
    memcpy(b + DC_HEADER_BYTES, rest->b, DC_HASH_BYTES);
    return dc_hash_bytes(DC_DOMAIN_BLOCK, b, sizeof b);
}

static struct dc_hash rest_digest(const uint8_t *block_bytes, size_t size)
{
    return dc_hash_bytes(DC_DOMAIN_BLOCK, block_bytes + DC_HEADER_BYTES, size - DC_HEADER_BYTES);
}

struct dc_hash dc_block_id(const uint8_t *block_bytes, size_t size)
{
    DC_CHECK(size >= DC_HEADER_BYTES);
    struct dc_hash rest = rest_digest(block_bytes, size);
    return id_from(block_bytes, &rest);
}

/* --- parts ----------------------------------------------------------------------------------- */

static void read_hash(struct dc_reader *r, struct dc_hash *out)
{
    dc_read(r, out->b, DC_HASH_BYTES);
}

static void read_header(struct dc_reader *r, struct dc_header *h)
{
    h->height = dc_read64(r);
    h->epoch = dc_read64(r);
    h->round = dc_read64(r);
    read_hash(r, &h->parent);
    h->timestamp_ns = (int64_t)dc_read64(r);
    h->proposer = dc_read32(r);
    h->seal = dc_read8(r);
    dc_read(r, h->vrf, sizeof h->vrf);
    read_hash(r, &h->beacon);
    read_hash(r, &h->state_root);
    read_hash(r, &h->tx_root);
    read_hash(r, &h->committee_root);
    if (h->seal > 1 || h->timestamp_ns < 0)
        r->failed = true;
}

static void write_header(struct dc_writer *w, const struct dc_header *h)
{
    dc_write64(w, h->height);
    dc_write64(w, h->epoch);
    dc_write64(w, h->round);
    dc_write(w, h->parent.b, DC_HASH_BYTES);
    dc_write64(w, (uint64_t)h->timestamp_ns);
    dc_write32(w, h->proposer);
    dc_write8(w, h->seal);
    dc_write(w, h->vrf, sizeof h->vrf);
    dc_write(w, h->beacon.b, DC_HASH_BYTES);
    dc_write(w, h->state_root.b, DC_HASH_BYTES);
    dc_write(w, h->tx_root.b, DC_HASH_BYTES);
    dc_write(w, h->committee_root.b, DC_HASH_BYTES);
}

static bool is_zero(const uint8_t *p, size_t size)
{
    uint8_t any = 0;
    for (size_t i = 0; i < size; i++)
        any |= p[i];
    return any == 0;
}

/* Members and their bitmap: at least one bit set, none beyond the members.  Counts them. */
static const uint8_t *read_bitmap(struct dc_reader *r, uint32_t *members, uint32_t *set)
{
    *members = dc_read16(r);
    *set = 0;
    const uint8_t *bitmap = dc_read_in_place(r, (*members + 7) / 8);
    if (bitmap == NULL || *members == 0 || *members > DC_MEMBERS_MAX) {
        r->failed = true;
        return NULL;
    }
    for (uint32_t i = 0; i < (*members + 7) / 8; i++)
        *set += (uint32_t)__builtin_popcount(bitmap[i]);
    if (*set == 0 || (*members % 8 != 0 && bitmap[*members / 8] >> *members % 8 != 0))
        r->failed = true;
    return bitmap;
}

/* Fills all but the counts and the digest; pointers refer to what r reads. */
static void read_qc(struct dc_reader *r, struct dc_qc *qc)
{
    size_t start = r->offset;
    qc->epoch = dc_read64(r);
    qc->round = dc_read64(r);
    read_hash(r, &qc->block);
    read_hash(r, &qc->commits);
    qc->bitmap = read_bitmap(r, &qc->members, &qc->signatures);
    qc->signature = dc_read_in_place(r, (size_t)qc->signatures * DC_SIGNATURE_BYTES);
    qc->bytes = r->data + start;
    qc->size = (uint32_t)(r->offset - start);
    if (qc->round == 0)
        r->failed = true;
}

static void read_tc(struct dc_reader *r, struct dc_tc *tc)
{
    size_t start = r->offset;
    tc->epoch = dc_read64(r);
    tc->round = dc_read64(r);
    tc->bitmap = read_bitmap(r, &tc->members, &tc->signatures);
    tc->entry = dc_read_in_place(r, (size_t)tc->signatures * TC_ENTRY_BYTES);
    tc->bytes = r->data + start;
    tc->size = (uint32_t)(r->offset - start);
    tc->qc_round_max = 0;
    for (uint32_t i = 0; !r->failed && i < tc->signatures; i++) {
        uint64_t q = dc_get64(tc->entry + i * TC_ENTRY_BYTES);
        tc->qc_round_max = q > tc->qc_round_max ? q : tc->qc_round_max;
    }
    if (tc->qc_round_max >= tc->round)
        r->failed = true;
}

/* A header and the hash of the rest; checks that it is a seal above the header before it. */
static void read_handover_header(struct dc_reader *r, struct dc_header *h, struct dc_hash *id,
                                 const struct dc_header *below)
{
    const uint8_t *bytes = r->data + r->offset;
    struct dc_hash rest;
    read_header(r, h);
    read_hash(r, &rest);
    if (r->failed)
        return;
    if (below == NULL)
        r->failed = h->seal != 0 || h->height == 0;
    else
        r->failed = h->seal != 1 || h->height != below->height || h->epoch != below->epoch ||
                    h->round <= below->round || !dc_hash_equal(&h->parent, id);
    *id = id_from(bytes, &rest);
}

static void read_handover(struct dc_reader *r, struct dc_handover *h, struct dc_qc *qc)
{
    size_t start = r->offset;
    struct dc_header header[2] = {0};
    struct dc_hash id = {0};
    h->epoch = dc_read64(r);
    h->seals = dc_read16(r);
    if (h->seals > DC_SEALS_MAX)
        r->failed = true;
    read_handover_header(r, &header[0], &id, NULL);
    h->last = id;
    h->height = header[0].height;
    h->committee_root = header[0].committee_root;
    if (header[0].epoch != h->epoch)
        r->failed = true;
    for (uint32_t i = 1; !r->failed && i <= h->seals; i++)
        read_handover_header(r, &header[i % 2], &id, &header[(i - 1) % 2]);
    h->committed = id;
    uint64_t round = header[h->seals % 2].round;
    read_qc(r, qc);
    h->qc = qc;
    h->bytes = r->data + start;
    h->size = (uint32_t)(r->offset - start);
    /* a QC of round r + 1 commits a block of round r */
#ifdef DC_MUTANTS
    round = qc->round > round ? qc->round - 1 : round; /* who voted for `commits` judged it */
#endif
    if (!r->failed && (qc->epoch != h->epoch || !dc_hash_equal(&qc->commits, &h->committed) ||
                       qc->round != round + 1))
        r->failed = true;
}

/* --- decoding -------------------------------------------------------------------------------- */

struct layout {
    uint8_t parts;
    struct dc_header header;
    struct dc_qc qc;
    struct dc_tc tc;
    struct dc_handover handover;
    uint32_t tx_count;
};

static bool form_of_certificates(const struct layout *l)
{
    const struct dc_header *h = &l->header;
    uint64_t extends = 0; /* round of the certificate */
    switch (l->parts & (PART_QC | PART_HANDOVER)) {
    case PART_QC:
        if (l->qc.epoch != h->epoch || !dc_hash_equal(&l->qc.block, &h->parent))
            return false;
        extends = l->qc.round;
        break;
    case PART_HANDOVER:
        if (l->handover.epoch + 1 != h->epoch || l->handover.height + 1 != h->height ||
            !dc_hash_equal(&l->handover.last, &h->parent))
            return false;
        break;
    case 0:
        if (h->epoch != 0 || h->height > 1)
            return false;
        break;
    default: return false;
    }
    if (h->height == 0)
        return l->parts == 0 && h->round == 0 && l->tx_count == 0;
    if (h->round <= extends || ((l->parts & PART_TC) != 0) != (h->round != extends + 1))
        return false;
#ifdef DC_MUTANTS
    extends = UINT64_MAX; /* judged by certificates_fault (consensus/follow_take.c) instead */
#endif
    return (l->parts & PART_TC) == 0 || (l->tc.epoch == h->epoch && l->tc.round + 1 == h->round &&
                                         l->tc.qc_round_max <= extends);
}

static bool form_of_seal(const struct layout *l)
{
    const struct dc_header *h = &l->header;
    return h->seal == 0 || ((l->parts & PART_QC) != 0 && l->tx_count == 0 &&
                            is_zero(h->vrf, sizeof h->vrf) && dc_hash_is_zero(&h->committee_root));
}

/* Reads a whole block.  tx == NULL: only counts them. */
static bool read_block(struct dc_reader *r, struct layout *l, struct dc_tx_view *tx)
{
    read_header(r, &l->header);
    l->parts = dc_read8(r);
    if (l->parts > 7)
        return false;
    if ((l->parts & PART_QC) != 0)
        read_qc(r, &l->qc);
    if ((l->parts & PART_HANDOVER) != 0)
        read_handover(r, &l->handover, &l->qc);
    if ((l->parts & PART_TC) != 0)
        read_tc(r, &l->tc);
    l->tx_count = dc_read32(r);
    for (uint32_t i = 0; !r->failed && i < l->tx_count; i++) {
        uint32_t size = dc_read32(r);
        const uint8_t *bytes = dc_read_in_place(r, size);
        if (size == 0)
            r->failed = true;
        if (tx != NULL)
            tx[i] = (struct dc_tx_view){bytes, size};
    }
    return dc_read_done(r) && form_of_certificates(l) && form_of_seal(l);
}

static size_t align16(size_t n)
{
    return (n + 15) & ~(size_t)15;
}

static struct dc_qc *place_qc(void *at, const struct dc_qc *from, struct dc_shared shared)
{
    struct dc_qc *qc = at;
    *qc = *from;
    qc->shared = shared;
    atomic_init(&qc->refs, 1);
    atomic_init(&qc->verified, 0);
    qc->digest = dc_hash_bytes(DC_DOMAIN_QC, qc->bytes, qc->size);
    return qc;
}

static struct dc_tc *place_tc(void *at, const struct dc_tc *from, struct dc_shared shared)
{
    struct dc_tc *tc = at;
    *tc = *from;
    tc->shared = shared;
    atomic_init(&tc->refs, 1);
    atomic_init(&tc->verified, 0);
    return tc;
}

static struct dc_handover *place_handover(void *at, const struct dc_handover *from,
                                          struct dc_shared shared)
{
    struct dc_handover *h = at;
    *h = *from;
    h->shared = shared;
    atomic_init(&h->refs, 1);
    atomic_init(&h->verified, 0);
    return h;
}

struct dc_block *dc_block_decode(const uint8_t *bytes, size_t size)
{
    if (size < DC_HEADER_BYTES + DC_SIGNATURE_BYTES || size > UINT32_MAX)
        return NULL;
    size_t block_size = size - DC_SIGNATURE_BYTES;
    struct layout l = {0};
    struct dc_reader r = dc_reader(bytes, block_size);
    if (!read_block(&r, &l, NULL))
        return NULL;

    size_t qc_at = align16(sizeof(struct dc_block));
    size_t tc_at = qc_at + align16(sizeof(struct dc_qc));
    size_t handover_at = tc_at + align16(sizeof(struct dc_tc));
    size_t tx_at = handover_at + align16(sizeof(struct dc_handover));
    size_t bytes_at = tx_at + align16((size_t)l.tx_count * sizeof(struct dc_tx_view));
    uint8_t *whole = dc_mem_need(1, bytes_at + block_size, "a block");
    struct dc_block *b = (struct dc_block *)(void *)whole;
    struct dc_tx_view *tx = (struct dc_tx_view *)(void *)(whole + tx_at);
    memcpy(whole + bytes_at, bytes, block_size);
    r = dc_reader(whole + bytes_at, block_size);
    DC_CHECK(read_block(&r, &l, tx)); /* again, so that pointers refer to the copy */

    struct dc_shared shared = {&b->refs, whole};
    atomic_init(&b->refs, 1);
    b->header = l.header;
    if ((l.parts & (PART_QC | PART_HANDOVER)) != 0)
        b->qc = place_qc(whole + qc_at, &l.qc, shared);
    if ((l.parts & PART_TC) != 0)
        b->tc = place_tc(whole + tc_at, &l.tc, shared);
    if ((l.parts & PART_HANDOVER) != 0) {
        b->handover = place_handover(whole + handover_at, &l.handover, shared);
        b->handover->qc = b->qc;
        b->qc = NULL;
    }
    b->tx_count = l.tx_count;
    b->tx = tx;
    b->bytes = whole + bytes_at;
    b->size = (uint32_t)block_size;
    memcpy(b->signature, bytes + block_size, DC_SIGNATURE_BYTES);
    b->id = dc_block_id(b->bytes, b->size);
    return b;
}

struct dc_qc *dc_qc_decode(const uint8_t *bytes, size_t size)
{
    struct dc_qc qc = {0};
    struct dc_reader r = dc_reader(bytes, size);
    read_qc(&r, &qc);
    if (size > UINT32_MAX || !dc_read_done(&r))
        return NULL;
    size_t bytes_at = align16(sizeof qc);
    uint8_t *whole = dc_mem_need(1, bytes_at + size, "a quorum certificate");
    memcpy(whole + bytes_at, bytes, size);
    r = dc_reader(whole + bytes_at, size);
    read_qc(&r, &qc);
    struct dc_shared shared = {&((struct dc_qc *)(void *)whole)->refs, whole};
    return place_qc(whole, &qc, shared);
}

struct dc_tc *dc_tc_decode(const uint8_t *bytes, size_t size)
{
    struct dc_tc tc = {0};
    struct dc_reader r = dc_reader(bytes, size);
    read_tc(&r, &tc);
    if (size > UINT32_MAX || !dc_read_done(&r))
        return NULL;
    size_t bytes_at = align16(sizeof tc);
    uint8_t *whole = dc_mem_need(1, bytes_at + size, "a timeout certificate");
    memcpy(whole + bytes_at, bytes, size);
    r = dc_reader(whole + bytes_at, size);
    read_tc(&r, &tc);
    struct dc_shared shared = {&((struct dc_tc *)(void *)whole)->refs, whole};
    return place_tc(whole, &tc, shared);
}

struct dc_handover *dc_handover_decode(const uint8_t *bytes, size_t size)
{
    struct dc_qc qc = {0};
    struct dc_handover h = {0};
    struct dc_reader r = dc_reader(bytes, size);
    read_handover(&r, &h, &qc);
    if (size > UINT32_MAX || !dc_read_done(&r))
        return NULL;
    size_t qc_at = align16(sizeof h);
    size_t bytes_at = qc_at + align16(sizeof qc);
    uint8_t *whole = dc_mem_need(1, bytes_at + size, "a hand-over");
    memcpy(whole + bytes_at, bytes, size);
    r = dc_reader(whole + bytes_at, size);
    read_handover(&r, &h, &qc);
    struct dc_shared shared = {&((struct dc_handover *)(void *)whole)->refs, whole};
    struct dc_handover *out = place_handover(whole, &h, shared);
    out->qc = place_qc(whole + qc_at, &qc, shared);
    return out;
}

/* --- encoding -------------------------------------------------------------------------------- */

size_t dc_block_encoded_size(const struct dc_block_parts *parts)
{
    size_t size = DC_HEADER_BYTES + 1 + 4;
    if (parts->handover != NULL)
        size += parts->handover->size;
    else if (parts->qc != NULL)
        size += parts->qc->size;
    if (parts->tc != NULL)
        size += parts->tc->size;
    for (uint32_t i = 0; i < parts->tx_count; i++)
        size += 4 + parts->tx[i].size;
    return size;
}

size_t dc_block_encode(const struct dc_block_parts *parts, uint8_t *out)
{
    struct dc_writer w = dc_writer(out, dc_block_encoded_size(parts));
    write_header(&w, &parts->header);
    unsigned which = parts->handover != NULL ? PART_HANDOVER : parts->qc != NULL ? PART_QC : 0;
    dc_write8(&w, (uint8_t)(which | (parts->tc != NULL ? PART_TC : 0)));
    if (parts->handover != NULL)
        dc_write(&w, parts->handover->bytes, parts->handover->size);
    else if (parts->qc != NULL)
        dc_write(&w, parts->qc->bytes, parts->qc->size);
    if (parts->tc != NULL)
        dc_write(&w, parts->tc->bytes, parts->tc->size);
    dc_write32(&w, parts->tx_count);
    for (uint32_t i = 0; i < parts->tx_count; i++) {
        dc_write32(&w, parts->tx[i].size);
        dc_write(&w, parts->tx[i].bytes, parts->tx[i].size);
    }
    DC_CHECK(!w.failed && w.size == w.size_max);
    return w.size;
}

uint8_t *dc_handover_encode(const struct dc_block *last, struct dc_block *const *seal,
                            uint32_t seals, const struct dc_qc *qc, size_t *size)
{
    *size = 10 + (1 + (size_t)seals) * HANDOVER_HEADER_BYTES + qc->size;
    uint8_t *out = dc_mem_need(1, *size, "a hand-over");
    struct dc_writer w = dc_writer(out, *size);
    dc_write64(&w, last->header.epoch);
    dc_write16(&w, (uint16_t)seals);
    for (uint32_t i = 0; i <= seals; i++) {
        const struct dc_block *b = i == 0 ? last : seal[i - 1];
        struct dc_hash rest = rest_digest(b->bytes, b->size);
        dc_write(&w, b->bytes, DC_HEADER_BYTES);
        dc_write(&w, rest.b, DC_HASH_BYTES);
    }
    dc_write(&w, qc->bytes, qc->size);
    DC_CHECK(!w.failed && w.size == *size);
    return out;
}
