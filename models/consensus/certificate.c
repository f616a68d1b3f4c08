/* Collecting and checking certificates.
 *
 * What is collected is as small as it can be: 66 bytes a vote and 84 a timeout, in arrays that grow
 * by doubling, plus a bitmap (votes) or two bytes a member (timeouts) to find a signer.  It is
 * thrown away when its round is over. */
#include "models/consensus/certificate.h"

#include <stdatomic.h>

#include "models/base/mem.h"

#define TC_ENTRY_BYTES ((size_t)72)

static bool bit(const uint8_t *bitmap, uint32_t i)
{
    return (bitmap[i / 8] >> i % 8 & 1) != 0;
}

static void bit_set(uint8_t *bitmap, uint32_t i)
{
    bitmap[i / 8] = (uint8_t)(bitmap[i / 8] | 1u << i % 8);
}

uint64_t dc_bitmap_power(const struct dc_committee *c, const uint8_t *bitmap)
{
    uint64_t power = 0;
    for (uint32_t i = 0; i < c->count; i++)
        if (bit(bitmap, i))
            power += c->power[i];
    return power;
}

/* --- checking -------------------------------------------------------------------------------- */

/* The answer that is remembered in an object, if remembering is on: 1 valid, 2 invalid, else 0. */
static uint32_t remembered(const struct dc_consensus_env *env, _Atomic uint32_t *verified)
{
    if (env->crypto->memo == NULL)
        return 0;
    return atomic_load_explicit(verified, memory_order_relaxed);
}

static bool remember(_Atomic uint32_t *verified, bool valid)
{
    atomic_store_explicit(verified, valid ? 1 : 2, memory_order_relaxed);
    return valid;
}

static void charge_verify(struct dc_effects *out, uint32_t count)
{
    if (out != NULL)
        out->charge[DC_COST_VERIFY] += count;
}

static bool qc_signatures(const struct dc_consensus_env *env, const struct dc_qc *qc,
                          const struct dc_committee *c)
{
    struct dc_hash digest =
        dc_vote_digest(env->chain, qc->epoch, qc->round, &qc->block, &qc->commits);
    const uint8_t *signature = qc->signature;
    if (DC_MUTANT(env->params, QC_SIGNATURES))
        return true;
    for (uint32_t i = 0; i < c->count; i++) {
        if (!bit(qc->bitmap, i))
            continue;
        if (!dc_verify(env->crypto, c->key[i], digest.b, DC_HASH_BYTES, signature))
            return false;
        signature += DC_SIGNATURE_BYTES;
    }
    return true;
}

bool dc_qc_verify(const struct dc_consensus_env *env, struct dc_qc *qc,
                  const struct dc_committee *c, struct dc_effects *out)
{
    if (qc->epoch != c->epoch || qc->members != c->count)
        return false;
    uint32_t known = remembered(env, &qc->verified);
    if (known != 0) {
        charge_verify(out, qc->signatures);
        return known == 1;
    }
    charge_verify(out, qc->signatures);
    return remember(&qc->verified,
                    dc_bitmap_power(c, qc->bitmap) >= c->quorum && qc_signatures(env, qc, c));
}

static bool tc_signatures(const struct dc_consensus_env *env, const struct dc_tc *tc,
                          const struct dc_committee *c)
{
    const uint8_t *entry = tc->entry;
    uint64_t digest_of = UINT64_MAX;
    struct dc_hash digest = {0};
    if (DC_MUTANT(env->params, QC_SIGNATURES))
        return true;
    for (uint32_t i = 0; i < c->count; i++) {
        if (!bit(tc->bitmap, i))
            continue;
        uint64_t q = dc_get64(entry);
        if (q != digest_of)
            digest = dc_timeout_digest(env->chain, tc->epoch, tc->round, q);
        digest_of = q;
        if (!dc_verify(env->crypto, c->key[i], digest.b, DC_HASH_BYTES, entry + 8))
            return false;
        entry += TC_ENTRY_BYTES;
    }
    return true;
}

bool dc_tc_verify(const struct dc_consensus_env *env, struct dc_tc *tc,
                  const struct dc_committee *c, struct dc_effects *out)
{
    if (tc->epoch != c->epoch || tc->members != c->count)
        return false;
    charge_verify(out, tc->signatures);
    uint32_t known = remembered(env, &tc->verified);
    if (known != 0)
        return known == 1;
    return remember(&tc->verified,
                    dc_bitmap_power(c, tc->bitmap) >= c->quorum && tc_signatures(env, tc, c));
}

bool dc_handover_verify(const struct dc_consensus_env *env, struct dc_handover *handover,
                        const struct dc_committee *c, struct dc_effects *out)
{
    if (handover->epoch != c->epoch ||
        handover->height != dc_epoch_last_height(c->epoch, env->params->epoch_blocks))
        return false;
    bool valid = dc_qc_verify(env, handover->qc, c, out);
    return remember(&handover->verified, valid);
}

/* --- votes ----------------------------------------------------------------------------------- */

static void vote_set_free(struct dc_vote_set *set)
{
    dc_mem_free(set->member);
    dc_mem_free(set->signature);
    dc_mem_free(set);
}

/* Takes the set with the least power out of a full list. */
static void vote_sets_make_room(struct dc_vote_set **list)
{
    uint32_t count = 0;
    struct dc_vote_set **least = list;
    for (struct dc_vote_set **p = list; *p != NULL; p = &(*p)->next) {
        count++;
        if ((*p)->power < (*least)->power)
            least = p;
    }
    if (count < DC_VOTE_SETS)
        return;
    struct dc_vote_set *gone = *least;
    *least = gone->next;
    vote_set_free(gone);
}

struct dc_vote_set *dc_vote_set_get(struct dc_vote_set **list, const struct dc_consensus_env *env,
                                    const struct dc_committee *c, const struct dc_vote *vote)
{
    for (struct dc_vote_set *s = *list; s != NULL; s = s->next)
        if (s->round == vote->round && dc_hash_equal(&s->block, &vote->block) &&
            dc_hash_equal(&s->commits, &vote->commits))
            return s;
    vote_sets_make_room(list);
    size_t bitmap_bytes = (c->count + 7) / 8;
    struct dc_vote_set *s = dc_mem_need(1, sizeof *s + bitmap_bytes, "votes");
    s->round = vote->round;
    s->block = vote->block;
    s->commits = vote->commits;
    s->digest = dc_vote_digest(env->chain, vote->epoch, vote->round, &vote->block, &vote->commits);
    s->bitmap = (uint8_t *)(s + 1);
    s->next = *list;
    *list = s;
    return s;
}

/* Room for one more of the parallel arrays. */
static void vote_set_grow(struct dc_vote_set *set, const struct dc_committee *c)
{
    uint32_t count = set->count_max == 0 ? 16 : set->count_max * 2;
    count = count > c->count ? c->count : count;
    uint16_t *member = dc_mem_need(count, sizeof *member, "votes");
    uint8_t *signature = dc_mem_need(count, DC_SIGNATURE_BYTES, "votes");
    if (set->count != 0) {
        memcpy(member, set->member, set->count * sizeof *member);
        memcpy(signature, set->signature, set->count * DC_SIGNATURE_BYTES);
    }
    dc_mem_free(set->member);
    dc_mem_free(set->signature);
    set->member = member;
    set->signature = signature;
    set->count_max = count;
}

bool dc_vote_set_add(struct dc_vote_set *set, const struct dc_committee *c, uint32_t member,
                     const uint8_t signature[64])
{
    if (bit(set->bitmap, member))
        return false;
    if (set->count == set->count_max)
        vote_set_grow(set, c);
    set->member[set->count] = (uint16_t)member;
    memcpy(set->signature + set->count * DC_SIGNATURE_BYTES, signature, DC_SIGNATURE_BYTES);
    set->count++;
    set->power += c->power[member];
    bit_set(set->bitmap, member);
    return true;
}

const uint8_t *dc_vote_set_find(const struct dc_vote_set *set, uint32_t member)
{
    if (!bit(set->bitmap, member))
        return NULL;
    for (uint32_t i = 0; i < set->count; i++)
        if (set->member[i] == member)
            return set->signature + i * DC_SIGNATURE_BYTES;
    return NULL;
}

struct dc_qc *dc_vote_set_qc(const struct dc_vote_set *set, const struct dc_consensus_env *env,
                             const struct dc_committee *c)
{
    DC_CHECK(set->power >= c->quorum);
    size_t bitmap_bytes = (c->count + 7) / 8;
    size_t size = 82 + bitmap_bytes + set->count * DC_SIGNATURE_BYTES;
    uint8_t *bytes = dc_mem_need(1, size, "a quorum certificate");
    uint16_t *at = dc_mem_need(c->count, sizeof *at, "a quorum certificate");
    for (uint32_t i = 0; i < set->count; i++)
        at[set->member[i]] = (uint16_t)i;
    struct dc_writer w = dc_writer(bytes, size);
    dc_write64(&w, c->epoch);
    dc_write64(&w, set->round);
    dc_write(&w, set->block.b, DC_HASH_BYTES);
    dc_write(&w, set->commits.b, DC_HASH_BYTES);
    dc_write16(&w, (uint16_t)c->count);
    dc_write(&w, set->bitmap, bitmap_bytes);
    for (uint32_t i = 0; i < c->count; i++)
        if (bit(set->bitmap, i))
            dc_write(&w, set->signature + at[i] * DC_SIGNATURE_BYTES, DC_SIGNATURE_BYTES);
    DC_CHECK(!w.failed && w.size == size);
    struct dc_qc *qc = dc_qc_decode(bytes, size);
    dc_mem_free(bytes);
    dc_mem_free(at);
    DC_CHECK(qc != NULL);
    remember(&qc->verified, true); /* each vote was checked when it came */
    return qc;
}

void dc_vote_sets_drop(struct dc_vote_set **list, uint64_t round)
{
    while (*list != NULL) {
        struct dc_vote_set *s = *list;
        if (s->round < round) {
            *list = s->next;
            vote_set_free(s);
        } else {
            list = &s->next;
        }
    }
}

/* --- timeouts -------------------------------------------------------------------------------- */

static void timeouts_count(struct dc_timeout_set *s, const struct dc_committee *c,
                           const struct dc_timeout_entry *e, bool more)
{
    if (e->qc_round > s->limit || e->round < s->current)
        return;
    uint64_t *sum = e->round == s->current ? &s->power_at : &s->power_above;
    *sum = more ? *sum + c->power[e->member] : *sum - c->power[e->member];
}

static void timeouts_grow(struct dc_timeout_set *s, const struct dc_committee *c)
{
    uint32_t count = s->count_max == 0 ? 16 : s->count_max * 2;
    count = count > c->count ? c->count : count;
    struct dc_timeout_entry *entry = dc_mem_need(count, sizeof *entry, "timeouts");
    if (s->count != 0)
        memcpy(entry, s->entry, s->count * sizeof *entry);
    dc_mem_free(s->entry);
    s->entry = entry;
    s->count_max = count;
}

bool dc_timeouts_add(struct dc_timeout_set **set, const struct dc_committee *c,
                     const struct dc_timeout_entry *entry, uint64_t round, uint64_t qc_round)
{
    if (*set == NULL) {
        struct dc_timeout_set *made =
            dc_mem_need(1, sizeof *made + c->count * sizeof(uint16_t), "timeouts");
        made->slot = (uint16_t *)(made + 1);
        made->current = round;
        made->limit = qc_round;
        *set = made;
    }
    struct dc_timeout_set *s = *set;
    struct dc_timeout_entry *e;
    if (s->slot[entry->member] != 0) {
        e = &s->entry[s->slot[entry->member] - 1];
        if (entry->round < e->round || (entry->round == e->round && entry->qc_round <= e->qc_round))
            return false;
        timeouts_count(s, c, e, false);
    } else {
        if (s->count == s->count_max)
            timeouts_grow(s, c);
        e = &s->entry[s->count++];
        s->slot[entry->member] = (uint16_t)s->count;
    }
    *e = *entry;
    timeouts_count(s, c, e, true);
    return true;
}

void dc_timeouts_enter(struct dc_timeout_set **set, const struct dc_committee *c, uint64_t round,
                       uint64_t qc_round)
{
    struct dc_timeout_set *s = *set;
    if (s == NULL)
        return;
    s->power_at = s->power_above = 0;
    s->current = round;
    s->limit = qc_round;
    uint32_t kept = 0;
    for (uint32_t i = 0; i < s->count; i++) {
        struct dc_timeout_entry *e = &s->entry[i];
        s->slot[e->member] = 0;
        if (e->round < round)
            continue;
        if (kept != i)
            s->entry[kept] = *e;
        e = &s->entry[kept++];
        s->slot[e->member] = (uint16_t)kept;
        timeouts_count(s, c, e, true);
    }
    s->count = kept;
    if (kept == 0)
        dc_timeouts_free(set);
}

uint64_t dc_timeouts_join(const struct dc_timeout_set *s, const struct dc_committee *c,
                          uint64_t power, uint64_t qc_round)
{
    uint64_t best = 0;
    for (uint32_t i = 0; s != NULL && i < s->count; i++) {
        uint64_t round = s->entry[i].round, sum = 0;
        if (s->entry[i].qc_round > qc_round || round <= best)
            continue;
        for (uint32_t k = 0; k < s->count && sum < power; k++)
            if (s->entry[k].round >= round && s->entry[k].qc_round <= qc_round)
                sum += c->power[s->entry[k].member];
        if (sum >= power)
            best = round;
    }
    return best;
}

struct dc_tc *dc_timeouts_tc(const struct dc_timeout_set *s, const struct dc_consensus_env *env,
                             const struct dc_committee *c, uint64_t round, uint64_t qc_round)
{
    uint32_t signatures = 0;
    for (uint32_t i = 0; i < s->count; i++)
        signatures += s->entry[i].round == round && s->entry[i].qc_round <= qc_round;
    size_t bitmap_bytes = (c->count + 7) / 8;
    size_t size = 18 + bitmap_bytes + signatures * TC_ENTRY_BYTES;
    uint8_t *bytes = dc_mem_need(1, size, "a timeout certificate");
    struct dc_writer w = dc_writer(bytes, size);
    dc_write64(&w, c->epoch);
    dc_write64(&w, round);
    dc_write16(&w, (uint16_t)c->count);
    uint8_t *bitmap = bytes + w.size;
    w.size += bitmap_bytes;
    for (uint32_t m = 0; m < c->count; m++) {
        if (s->slot[m] == 0)
            continue;
        const struct dc_timeout_entry *e = &s->entry[s->slot[m] - 1];
        if (e->round != round || e->qc_round > qc_round)
            continue;
        bit_set(bitmap, m);
        dc_write64(&w, e->qc_round);
        dc_write(&w, e->signature, DC_SIGNATURE_BYTES);
    }
    DC_CHECK(!w.failed && w.size == size);
    struct dc_tc *tc = dc_tc_decode(bytes, size);
    dc_mem_free(bytes);
    DC_CHECK(tc != NULL);
    remember(&tc->verified, true);
    return tc;
}

void dc_timeouts_free(struct dc_timeout_set **set)
{
    if (*set == NULL)
        return;
    dc_mem_free((*set)->entry);
    dc_mem_free(*set);
    *set = NULL;
}
