/* The settlement of an auction: one circuit over all commitments in the order of their entries.
 *
 *     winner: bid = price        before it: bid + 1 <= price        behind it: bid <= price
 *
 * so that among equal bids the first wins.  Bids are in range because each was checked when it
 * came, and 32 gates say that the difference is not negative. */
#include "models/crypto/r1cs.h"
#include "models/privacy/auction.h"

static void settle_begin(struct dc_transcript *t, const uint8_t context[32], uint32_t count,
                         uint32_t winner, uint32_t price)
{
    dc_transcript_init(t, "destra/privacy/v1/auction");
    dc_transcript_append(t, "step", "settle", 6);
    dc_transcript_append(t, "contract", context, 32);
    dc_transcript_append_u64(t, "bids", count);
    dc_transcript_append_u64(t, "winner", winner);
    dc_transcript_append_u64(t, "price", price);
}

static void settle_circuit(struct dc_circuit *c, const struct dc_sum *bid, uint32_t count,
                           uint32_t winner, uint32_t price)
{
    struct dc_sum full = dc_sum_u64(c, price), one = dc_sum_u64(c, 1);
    struct dc_sum less = dc_sum_sub(c, &full, &one);
    dc_circuit_equal(c, &bid[winner], &full);
    for (uint32_t i = 0; i < count; i++)
        if (i != winner)
            dc_gadget_at_most(c, &bid[i], i < winner ? &less : &full, DC_AUCTION_BITS);
}

uint32_t dc_auction_settle_gates(uint32_t count)
{
    return dc_circuit_padded(count == 0 ? 0 : (count - 1) * DC_AUCTION_BITS);
}

size_t dc_auction_settle(const struct dc_hash *context, const struct dc_auction_opening *bid,
                         uint32_t count, uint32_t winner, const uint8_t seed[32], uint8_t *out,
                         size_t out_max)
{
    if (count == 0 || count > DC_AUCTION_BIDS_MAX || winner >= count || out_max < 8)
        return 0;
    uint32_t price = bid[winner].bid;
    struct dc_transcript t;
    struct dc_circuit c;
    settle_begin(&t, context->b, count, winner, price);
    dc_circuit_init(&c, &t, true);
    struct dc_sum sum[DC_AUCTION_BIDS_MAX];
    bool opens = true;
    for (uint32_t i = 0; i < count; i++) {
        struct dc_scalar value = dc_scalar_u64(bid[i].bid), blinding;
        uint8_t commitment[32];
        opens = dc_scalar_decode(bid[i].blinding, &blinding) && opens;
        sum[i] = dc_circuit_commit(&c, &value, &blinding, commitment);
        opens = memcmp(commitment, bid[i].commitment, 32) == 0 && opens;
    }
    settle_circuit(&c, sum, count, winner, price);
    dc_put32(out, winner);
    dc_put32(out + 4, price);
    size_t size = 0;
    if (opens && dc_circuit_holds(&c))
        size = dc_r1cs_prove(&c, seed, out + 8, out_max - 8);
    dc_circuit_free(&c);
    return size == 0 ? 0 : 8 + size;
}

bool dc_auction_settle_check(const uint8_t *bytes, size_t size)
{
    if (size < 36)
        return false;
    uint32_t count = dc_get32(bytes + 32);
    if (count == 0 || count > DC_AUCTION_BIDS_MAX || size < 36 + 32 * (size_t)count + 8)
        return false;
    const uint8_t *commitment = bytes + 36, *body = commitment + 32 * (size_t)count;
    uint32_t winner = dc_get32(body), price = dc_get32(body + 4);
    if (winner >= count)
        return false;
    struct dc_transcript t;
    struct dc_circuit c;
    settle_begin(&t, bytes, count, winner, price);
    dc_circuit_init(&c, &t, false);
    struct dc_sum sum[DC_AUCTION_BIDS_MAX];
    for (uint32_t i = 0; i < count; i++)
        sum[i] = dc_circuit_committed(&c, commitment + 32 * (size_t)i);
    settle_circuit(&c, sum, count, winner, price);
    size_t at = (size_t)(body + 8 - bytes);
    bool ok = dc_r1cs_verify(&c, bytes + at, size - at);
    dc_circuit_free(&c);
    return ok;
}
