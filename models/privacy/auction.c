/* Terms, and what one bidder makes: a bid, its sealed opening, and the exposure of one that does
 * not open.  auction_settle.c has the settlement. */
#include "models/privacy/auction.h"

#include "models/crypto/r1cs.h"
#include "models/crypto/sigma.h"

#define AUCTION_PROOF_AT (32 + 4 + DC_AUCTION_BID_HEAD_BYTES)

void dc_auction_terms_encode(const struct dc_auction_terms *t, uint8_t out[56])
{
    struct dc_writer w = dc_writer(out, DC_AUCTION_CREATE_BYTES);
    dc_write64(&w, t->tag);
    dc_write64(&w, t->unit);
    dc_write32(&w, t->close);
    dc_write32(&w, t->end);
    dc_write(&w, t->key, 32);
    DC_CHECK(!w.failed && w.size == DC_AUCTION_CREATE_BYTES);
}

bool dc_auction_terms_decode(const uint8_t *bytes, size_t size, struct dc_auction_terms *out)
{
    struct dc_reader r = dc_reader(bytes, size);
    struct dc_point key;
    out->tag = dc_read64(&r);
    out->unit = dc_read64(&r);
    out->close = dc_read32(&r);
    out->end = dc_read32(&r);
    dc_read(&r, out->key, 32);
    return !r.failed && r.offset == size && out->unit >= 1 &&
           out->unit <= UINT64_MAX >> DC_AUCTION_BITS && out->close >= 1 && out->end > out->close &&
           dc_point_decode_proper(out->key, &key);
}

void dc_auction_key(const uint8_t seed[32], uint64_t tag, uint8_t secret[32], uint8_t key[32])
{
    struct dc_nonces n;
    uint8_t text[8];
    dc_put64(text, tag);
    dc_nonces_init(&n, seed, DC_DOMAIN_KEY);
    dc_nonces_feed(&n, "destra/privacy/v1/auction", 25);
    dc_nonces_feed(&n, text, sizeof text);
    struct dc_scalar k = dc_nonces_next(&n);
    struct dc_point p = dc_point_mul_base(&k);
    dc_scalar_encode(&k, secret);
    dc_point_encode(&p, key);
}

/* --- sealing --------------------------------------------------------------------------------- */

static void auction_stream(const struct dc_hash *context, const uint8_t shared[32],
                           const uint8_t ephemeral[32], uint8_t out[64])
{
    for (uint32_t half = 0; half < 2; half++) {
        struct dc_hasher h;
        dc_hasher_init(&h, DC_DOMAIN_AUCTION);
        dc_hasher_update(&h, context->b, 32);
        dc_hasher_update(&h, shared, 32);
        dc_hasher_update(&h, ephemeral, 32);
        dc_hasher_update64(&h, half);
        struct dc_hash s = dc_hasher_final(&h);
        memcpy(out + 32 * half, s.b, 32);
    }
}

/* Bid and blinding, in the clear or sealed: the same operation. */
static void auction_mask(uint8_t bid[8], uint8_t blinding[32], const uint8_t stream[64])
{
    for (uint32_t i = 0; i < 8; i++)
        bid[i] ^= stream[i];
    for (uint32_t i = 0; i < 32; i++)
        blinding[i] ^= stream[8 + i];
}

static bool auction_opens(const struct dc_hash *context, const uint8_t shared[32],
                          const uint8_t commitment[32], const struct dc_auction_sealed *sealed,
                          uint32_t *bid, uint8_t blinding[32])
{
    uint8_t stream[64], value[8], encoded[32];
    memcpy(value, sealed->bid, 8);
    memcpy(blinding, sealed->blinding, 32);
    auction_stream(context, shared, sealed->ephemeral, stream);
    auction_mask(value, blinding, stream);
    struct dc_scalar b, v = dc_scalar_u64(dc_get64(value));
    if (dc_get64(value) >> DC_AUCTION_BITS != 0 || !dc_scalar_decode(blinding, &b))
        return false;
    *bid = (uint32_t)dc_get64(value);
    struct dc_point p = dc_pedersen(&v, &b);
    dc_point_encode(&p, encoded);
    return memcmp(encoded, commitment, 32) == 0;
}

bool dc_auction_open(const struct dc_hash *context, const uint8_t secret[32],
                     const uint8_t commitment[32], const struct dc_auction_sealed *sealed,
                     uint32_t *bid, uint8_t blinding[32])
{
    struct dc_scalar k;
    struct dc_point r;
    uint8_t shared[32];
    if (!dc_scalar_decode(secret, &k) || !dc_point_decode_proper(sealed->ephemeral, &r))
        return false;
    r = dc_point_mul(&k, &r);
    dc_point_encode(&r, shared);
    return auction_opens(context, shared, commitment, sealed, bid, blinding);
}

/* --- a bid ----------------------------------------------------------------------------------- */

bool dc_auction_bid_decode(const uint8_t *bytes, size_t size, struct dc_auction_bid *out,
                           size_t *proof_offset)
{
    struct dc_reader r = dc_reader(bytes, size);
    struct dc_point p;
    dc_read(&r, out->commitment, 32);
    out->deposit = dc_read32(&r);
    dc_read(&r, out->sealed.ephemeral, 32);
    dc_read(&r, out->sealed.bid, 8);
    dc_read(&r, out->sealed.blinding, 32);
    dc_read(&r, out->knowledge, DC_AUCTION_KNOWLEDGE_BYTES);
    *proof_offset = r.offset;
    return !r.failed && dc_point_decode_proper(out->commitment, &p) &&
           dc_point_decode_proper(out->sealed.ephemeral, &p);
}

static void sealed_append(struct dc_transcript *t, const struct dc_auction_sealed *sealed)
{
    dc_transcript_append(t, "ephemeral", sealed->ephemeral, 32);
    dc_transcript_append(t, "sealed bid", sealed->bid, 8);
    dc_transcript_append(t, "sealed blinding", sealed->blinding, 32);
}

/* Everything of the bid but its commitment, which the circuit says. */
static void bid_begin(struct dc_transcript *t, const uint8_t context[32], uint32_t bidder,
                      const struct dc_auction_bid *bid)
{
    dc_transcript_init(t, "destra/privacy/v1/auction");
    dc_transcript_append(t, "step", "bid", 3);
    dc_transcript_append(t, "contract", context, 32);
    dc_transcript_append_u64(t, "bidder", bidder);
    dc_transcript_append_u64(t, "deposit", bid->deposit);
    sealed_append(t, &bid->sealed);
}

/* A number below 2^32 that the deposit covers. */
static void bid_circuit(struct dc_circuit *c, const struct dc_sum *bid, uint32_t deposit)
{
    struct dc_sum most = dc_sum_u64(c, deposit);
    dc_gadget_range(c, bid, DC_AUCTION_BITS, NULL);
    dc_gadget_at_most(c, bid, &most, DC_AUCTION_BITS);
}

uint32_t dc_auction_bid_gates(void)
{
    return 2 * DC_AUCTION_BITS;
}

static void bid_seal(const struct dc_hash *context, const struct dc_point *key,
                     const struct dc_scalar *r, uint32_t bid, const struct dc_scalar *blinding,
                     struct dc_auction_sealed *out)
{
    uint8_t stream[64], shared[32];
    struct dc_point p = dc_point_mul_base(r);
    dc_point_encode(&p, out->ephemeral);
    p = dc_point_mul(r, key);
    dc_point_encode(&p, shared);
    dc_put64(out->bid, bid);
    dc_scalar_encode(blinding, out->blinding);
    auction_stream(context, shared, out->ephemeral, stream);
    auction_mask(out->bid, out->blinding, stream);
}

size_t dc_auction_bid_make(const struct dc_hash *context, uint32_t bidder,
                           const uint8_t seller_key[32], uint32_t bid, uint32_t deposit,
                           const uint8_t seed[32], uint8_t *out, size_t out_max)
{
    struct dc_point key;
    if (bid > deposit || out_max < DC_AUCTION_BID_HEAD_BYTES ||
        !dc_point_decode_proper(seller_key, &key))
        return 0;
    struct dc_nonces n;
    uint8_t text[12];
    dc_put32(text, bidder);
    dc_put32(text + 4, bid);
    dc_put32(text + 8, deposit);
    dc_nonces_init(&n, seed, DC_DOMAIN_PROOF_NONCE);
    dc_nonces_feed(&n, context->b, 32);
    dc_nonces_feed(&n, seller_key, 32);
    dc_nonces_feed(&n, text, sizeof text);
    struct dc_scalar blinding = dc_nonces_next(&n), r = dc_nonces_next(&n);
    struct dc_scalar value = dc_scalar_u64(bid);
    struct dc_auction_bid b = {.deposit = deposit};
    bid_seal(context, &key, &r, bid, &blinding, &b.sealed);
    struct dc_transcript t;
    struct dc_circuit c;
    bid_begin(&t, context->b, bidder, &b);
    dc_schnorr_prove(&t, &r, b.knowledge);
    dc_circuit_init(&c, &t, true);
    struct dc_sum sum = dc_circuit_commit(&c, &value, &blinding, b.commitment);
    bid_circuit(&c, &sum, deposit);
    struct dc_writer w = dc_writer(out, out_max);
    dc_write(&w, b.commitment, 32);
    dc_write32(&w, b.deposit);
    dc_write(&w, b.sealed.ephemeral, 32);
    dc_write(&w, b.sealed.bid, 8);
    dc_write(&w, b.sealed.blinding, 32);
    dc_write(&w, b.knowledge, DC_AUCTION_KNOWLEDGE_BYTES);
    size_t size = dc_r1cs_prove(&c, seed, out + w.size, out_max - w.size);
    dc_circuit_free(&c);
    return size == 0 ? 0 : w.size + size;
}

bool dc_auction_bid_check(const uint8_t *bytes, size_t size)
{
    struct dc_auction_bid bid;
    size_t at;
    if (size < AUCTION_PROOF_AT || !dc_auction_bid_decode(bytes + 36, size - 36, &bid, &at))
        return false;
    struct dc_transcript t;
    struct dc_circuit c;
    bid_begin(&t, bytes, dc_get32(bytes + 32), &bid);
    if (!dc_schnorr_verify(&t, bid.sealed.ephemeral, bid.knowledge))
        return false;
    dc_circuit_init(&c, &t, false);
    struct dc_sum sum = dc_circuit_committed(&c, bid.commitment);
    bid_circuit(&c, &sum, bid.deposit);
    bool ok = dc_r1cs_verify(&c, bytes + AUCTION_PROOF_AT, size - AUCTION_PROOF_AT);
    dc_circuit_free(&c);
    return ok;
}

/* --- exposing -------------------------------------------------------------------------------- */

static void expose_begin(struct dc_transcript *t, const uint8_t context[32], uint32_t entry,
                         const struct dc_auction_sealed *sealed)
{
    dc_transcript_init(t, "destra/privacy/v1/auction");
    dc_transcript_append(t, "step", "expose", 6);
    dc_transcript_append(t, "contract", context, 32);
    dc_transcript_append_u64(t, "entry", entry);
    sealed_append(t, sealed);
}

void dc_auction_expose(const struct dc_hash *context, const uint8_t secret[32], uint32_t entry,
                       const struct dc_auction_sealed *sealed, uint8_t out[100])
{
    struct dc_transcript t;
    struct dc_scalar k;
    DC_CHECK(dc_scalar_decode(secret, &k));
    dc_put32(out, entry);
    expose_begin(&t, context->b, entry, sealed);
    dc_dleq_prove(&t, &k, sealed->ephemeral, out + 4, out + 36);
}

bool dc_auction_expose_check(const uint8_t *bytes, size_t size)
{
    struct dc_auction_sealed sealed;
    struct dc_reader r = dc_reader(bytes, size);
    struct dc_hash context;
    uint8_t key[32], commitment[32], shared[32], proof[64], blinding[32];
    dc_read(&r, context.b, 32);
    dc_read(&r, key, 32);
    dc_read(&r, commitment, 32);
    dc_read(&r, sealed.ephemeral, 32);
    dc_read(&r, sealed.bid, 8);
    dc_read(&r, sealed.blinding, 32);
    uint32_t entry = dc_read32(&r), bid;
    dc_read(&r, shared, 32);
    dc_read(&r, proof, 64);
    if (r.failed || r.offset != size)
        return false;
    struct dc_transcript t;
    expose_begin(&t, context.b, entry, &sealed);
    return dc_dleq_verify(&t, key, sealed.ephemeral, shared, proof) &&
           !auction_opens(&context, shared, commitment, &sealed, &bid, blinding);
}
