/* Certificates, counted once more: without the code that made or checked them, and without any
 * memory of their having been checked. */
#include "sim/check/check.h"

#include "models/base/mem.h"

struct certificates {
    struct ds_check_report *report;
};

static void certificates_init(void *state, const struct ds_check_config *config,
                              struct ds_check_report *report)
{
    (void)config;
    ((struct certificates *)state)->report = report;
}

static const char *const certificate_names[] = {
    [DS_CHECK_QC] = "quorum certificate",
    [DS_CHECK_TC] = "timeout certificate",
    [DS_CHECK_HANDOVER] = "hand-over",
};

static bool certificate_bit(const uint8_t *bitmap, uint32_t i)
{
    return (bitmap[i / 8] >> i % 8 & 1) != 0;
}

/* Who signed, and with how much power; false when a bit stands for nobody. */
static bool certificate_count(const struct ds_check_certificate *c, uint64_t *power,
                              uint64_t *total, uint32_t *signers)
{
    *power = *total = 0;
    *signers = 0;
    for (uint32_t i = 0; i < c->committee->count; i++) {
        *total += c->committee->power[i];
        if (!certificate_bit(c->bitmap, i))
            continue;
        *power += c->committee->power[i];
        ++*signers;
    }
    for (uint32_t i = c->members; i < (c->members + 7) / 8 * 8; i++)
        if (certificate_bit(c->bitmap, i))
            return false;
    return true;
}

/* What is wrong with where it stands, or NULL. */
static const char *certificate_place(const struct ds_check_certificate *c)
{
    if (c->kind == DS_CHECK_HANDOVER)
        return c->epoch + 1 != c->block_epoch ? "is not of the epoch before its block's" : NULL;
    if (c->epoch != c->block_epoch)
        return "is of another epoch than its block";
    if (c->round >= c->block_round)
        return "is not of a round before its block's";
    if (c->kind == DS_CHECK_TC && c->round + 1 != c->block_round)
        return "is not of the round just before its block's";
    if (c->kind == DS_CHECK_TC && c->qc_round_max > c->qc_round)
        return "names a higher certificate than the one beside it";
    if (c->kind == DS_CHECK_QC && c->commits_given && !c->commits_consecutive)
        return "makes a block final that was not certified in the round before";
    return NULL;
}

static void certificates_look(void *state, const struct ds_check_certificate *c)
{
    struct certificates *s = state;
    const char *name = certificate_names[c->kind], *wrong = certificate_place(c);
    unsigned long long height = c->height, epoch = c->epoch, round = c->round;
    uint64_t power, total;
    uint32_t signers;
    if (c->committee == NULL || c->committee->epoch != c->epoch ||
        c->members != c->committee->count) {
        ds_check_tell(s->report, DS_CHECK_CERTIFICATES, c->time_ns,
                      "the %s (epoch %llu, round %llu) in block %llu, final at node %u, is not of "
                      "its epoch's committee: %u members instead of %u",
                      name, epoch, round, height, c->node, c->members,
                      c->committee != NULL ? c->committee->count : 0);
        return;
    }
    if (!certificate_count(c, &power, &total, &signers) || signers != c->signatures)
        ds_check_tell(s->report, DS_CHECK_CERTIFICATES, c->time_ns,
                      "the %s (epoch %llu, round %llu) in block %llu, final at node %u, has %u "
                      "signatures of %u members",
                      name, epoch, round, height, c->node, c->signatures, signers);
    else if ((unsigned __int128)power * 3 <= (unsigned __int128)total * 2)
        ds_check_tell(s->report, DS_CHECK_CERTIFICATES, c->time_ns,
                      "the %s (epoch %llu, round %llu) in block %llu, final at node %u, has no "
                      "quorum: power %llu of %llu",
                      name, epoch, round, height, c->node, (unsigned long long)power,
                      (unsigned long long)total);
    else if (c->bad < c->members)
        ds_check_tell(s->report, DS_CHECK_CERTIFICATES, c->time_ns,
                      "the %s (epoch %llu, round %llu) in block %llu, final at node %u, carries a "
                      "signature that is not validator %u's",
                      name, epoch, round, height, c->node, c->committee->account[c->bad]);
    else if (wrong != NULL)
        ds_check_tell(s->report, DS_CHECK_CERTIFICATES, c->time_ns,
                      "the %s (epoch %llu, round %llu) in block %llu, final at node %u, %s", name,
                      epoch, round, height, c->node, wrong);
}

static void certificates_committee(void *state, const struct ds_check_committee *drawn,
                                   const struct ds_check_committee *used, int64_t time_ns)
{
    struct certificates *s = state;
    uint32_t same = 0, least = drawn->count < used->count ? drawn->count : used->count;
    while (same < least && drawn->account[same] == used->account[same] &&
           drawn->power[same] == used->power[same])
        same++;
    if (same == drawn->count && same == used->count)
        return;
    ds_check_tell(s->report, DS_CHECK_CERTIFICATES, time_ns,
                  "the committee of epoch %llu is not the one that the final chain draws: %u "
                  "members instead of %u, and member %u is account %lld instead of %lld",
                  (unsigned long long)used->epoch, used->count, drawn->count, same,
                  same < used->count ? (long long)used->account[same] : -1,
                  same < drawn->count ? (long long)drawn->account[same] : -1);
}

static void certificates_follow(void *state, const struct ds_check_follow *f)
{
    struct certificates *s = state;
    if (f->epoch == f->committee_epoch)
        return;
    ds_check_tell(s->report, DS_CHECK_CERTIFICATES, f->time_ns,
                  "node %u judges certificates of epoch %llu by the committee of epoch %llu",
                  f->node, (unsigned long long)f->epoch, (unsigned long long)f->committee_epoch);
}

const struct ds_check_class ds_check_certificates = {
    .name = "certificates",
    .line = "certificates in final blocks hold: a quorum of distinct members of their epoch's "
            "committee, who signed it",
    .state_bytes = sizeof(struct certificates),
    .init = certificates_init,
    .committee = certificates_committee,
    .certificate = certificates_look,
    .follow = certificates_follow,
};

/* --- the draw -------------------------------------------------------------------------------- */

/* Draws are 64-bit words of H(COMMITTEE, R || epoch || 0 || try), each scaled to [0, total); a word
 * whose low half of the product falls below 2^64 mod total is thrown away. */
static uint64_t draw_below(const struct dc_hash *beacon, uint64_t epoch, uint64_t total,
                           uint64_t *attempt)
{
    uint8_t text[56] = {0};
    memcpy(text, beacon->b, sizeof beacon->b);
    dc_put64(text + 32, epoch);
    for (;;) {
        dc_put64(text + 48, (*attempt)++);
        struct dc_hash h = dc_hash_bytes(DC_DOMAIN_COMMITTEE, text, sizeof text);
        for (int word = 0; word < 4; word++) {
            unsigned __int128 product = (unsigned __int128)dc_get64(h.b + 8 * word) * total;
            if ((uint64_t)product >= -total % total)
                return (uint64_t)(product >> 64);
        }
    }
}

void ds_check_draw(const uint64_t *weight, uint32_t count, uint32_t seats, uint64_t epoch,
                   const struct dc_hash *beacon, uint64_t *power)
{
    uint64_t total = 0, attempt = 0;
    for (uint32_t i = 0; i < count; i++) {
        total += weight[i];
        power[i] = seats == 0 ? weight[i] : 0;
    }
    for (uint32_t seat = 0; total != 0 && seat < seats; seat++) {
        uint64_t x = draw_below(beacon, epoch, total, &attempt);
        uint32_t at = 0;
        while (x >= weight[at])
            x -= weight[at++];
        power[at]++;
    }
}
