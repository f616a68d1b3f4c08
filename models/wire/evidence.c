/* Evidence of equivocation; layouts in evidence.h. */
#include "models/wire/evidence.h"

#define PROPOSAL_SIDE_BYTES (DC_HASH_BYTES + DC_SIGNATURE_BYTES)
#define VOTE_SIDE_BYTES (2 * DC_HASH_BYTES + DC_SIGNATURE_BYTES)

/* Bytes of one of the two statements and of its part that must differ; false for unknown kinds. */
static bool side_sizes(uint8_t kind, size_t *side, size_t *stated)
{
    if (kind != DC_EVIDENCE_PROPOSALS && kind != DC_EVIDENCE_VOTES)
        return false;
    *side = kind == DC_EVIDENCE_VOTES ? VOTE_SIDE_BYTES : PROPOSAL_SIDE_BYTES;
    *stated = *side - DC_SIGNATURE_BYTES;
    return true;
}

bool dc_evidence_when(uint8_t kind, const uint8_t *proof, size_t size, uint64_t *epoch,
                      uint64_t *round)
{
    size_t side, stated;
    if (!side_sizes(kind, &side, &stated) || size != 16 + 2 * side)
        return false;
    *epoch = dc_get64(proof);
    *round = dc_get64(proof + 8);
    return *round != 0 && memcmp(proof + 16, proof + 16 + side, stated) < 0;
}

bool dc_evidence_check(uint64_t chain, struct dc_crypto *crypto, const uint8_t key[32],
                       uint8_t kind, const uint8_t *proof, size_t size)
{
    uint64_t epoch, round;
    size_t side, stated;
    if (!dc_evidence_when(kind, proof, size, &epoch, &round) || !side_sizes(kind, &side, &stated))
        return false;
    for (int i = 0; i < 2; i++) {
        const uint8_t *p = proof + 16 + (size_t)i * side;
        struct dc_hash block, commits, digest;
        memcpy(block.b, p, DC_HASH_BYTES);
        if (kind == DC_EVIDENCE_VOTES) {
            memcpy(commits.b, p + DC_HASH_BYTES, DC_HASH_BYTES);
            digest = dc_vote_digest(chain, epoch, round, &block, &commits);
        } else {
            digest = dc_proposal_digest(chain, epoch, round, &block);
        }
        if (!dc_verify(crypto, key, digest.b, DC_HASH_BYTES, p + stated))
            return false;
    }
    return true;
}

/* Writes the two sides in byte order behind epoch and round. */
static size_t compose(uint8_t kind, uint64_t epoch, uint64_t round, const uint8_t *a,
                      const uint8_t *b, uint8_t *out)
{
    size_t side, stated;
    DC_CHECK(side_sizes(kind, &side, &stated));
    int order = memcmp(a, b, stated);
    if (order == 0)
        return 0;
    dc_put64(out, epoch);
    dc_put64(out + 8, round);
    memcpy(out + 16, order < 0 ? a : b, side);
    memcpy(out + 16 + side, order < 0 ? b : a, side);
    return 16 + 2 * side;
}

static void vote_side(const struct dc_vote *v, uint8_t out[VOTE_SIDE_BYTES])
{
    memcpy(out, v->block.b, DC_HASH_BYTES);
    memcpy(out + DC_HASH_BYTES, v->commits.b, DC_HASH_BYTES);
    memcpy(out + 2 * DC_HASH_BYTES, v->signature, DC_SIGNATURE_BYTES);
}

size_t dc_evidence_of_votes(const struct dc_vote *a, const struct dc_vote *b,
                            uint8_t out[DC_EVIDENCE_BYTES_MAX])
{
    if (a->epoch != b->epoch || a->round != b->round || a->signer != b->signer)
        return 0;
    uint8_t sides[2][VOTE_SIDE_BYTES];
    vote_side(a, sides[0]);
    vote_side(b, sides[1]);
    return compose(DC_EVIDENCE_VOTES, a->epoch, a->round, sides[0], sides[1], out);
}

size_t dc_evidence_of_proposals(const struct dc_block *a, const struct dc_block *b,
                                uint8_t out[DC_EVIDENCE_BYTES_MAX])
{
    if (a->header.epoch != b->header.epoch || a->header.round != b->header.round ||
        a->header.proposer != b->header.proposer)
        return 0;
    uint8_t sides[2][PROPOSAL_SIDE_BYTES];
    for (int i = 0; i < 2; i++) {
        const struct dc_block *x = i == 0 ? a : b;
        memcpy(sides[i], x->id.b, DC_HASH_BYTES);
        memcpy(sides[i] + DC_HASH_BYTES, x->signature, DC_SIGNATURE_BYTES);
    }
    return compose(DC_EVIDENCE_PROPOSALS, a->header.epoch, a->header.round, sides[0], sides[1],
                   out);
}
