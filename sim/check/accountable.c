/* Accountable safety: two final chains convict at least a third of the power.
 *
 * Of every signer the latest votes and timeouts are kept, as they were seen on the wire.  When
 * there is a fork, its guilty are those whose own signatures contradict one another, which anybody
 * can check (Sheng, Wang, Nayak, Kannan, Viswanath: BFT Protocol Forensics, ACM CCS 2021).
 *
 * Let B, certified in round r, be final by a certificate of its child in round r + 1, and let C be
 * a certified block that conflicts with B, of the lowest round w >= r among those.  Two quorums
 * meet in at least a third of the power, and whoever is in both
 *
 *   w == r or r + 1   voted twice in one round                                          (a)
 *   w > r + 1         C's own certificate is of a round q < r, by the choice of C.  So C carries
 *                     a TC of round w - 1 >= r + 1 that names no round above q; who signed it and
 *                     voted for B's child, which carries QC(r), has signed
 *                         a vote in v for a block on a QC of round p, and
 *                         a timeout of a round >= v that names a round below p          (b)
 *                     (before that vote the timeout forbids it, after it the lock forbids the
 *                     timeout: one of the two was wrong, in whichever order)
 *             or      C carries no such TC: all who voted for C voted for a block that the rules
 *                     forbid                                                            (c)
 *
 * Data: entry[signer][ring], newest over oldest, so that all signers together take about 4 MiB. */
#include "sim/check/check.h"

#include <stdio.h>

#include "models/base/mem.h"

#define ACCOUNTABLE_BYTES ((size_t)4 << 20)
#define ACCOUNTABLE_EPOCHS 4
#define UNKNOWN UINT64_MAX

struct entry {
    uint64_t epoch, round; /* epoch UNKNOWN: free */
    uint64_t qc_round;     /* VOTE: of the QC in its block, or UNKNOWN */
    struct dc_hash block, commits;
    uint8_t signature[64];
    uint32_t signer;
    uint8_t kind;
    bool unsafe; /* a vote that the rules forbid */
    bool whole;  /* it stands in a certificate: no signature here */
};

struct accountable {
    struct ds_check_report *report;
    const struct ds_check_config *config;
    struct log {
        struct entry *entry; /* NULL: it has signed nothing */
        uint32_t next;
    } * log;       /* by signer */
    uint32_t ring; /* entries of one signer */
    struct {
        uint64_t epoch;
        uint32_t count;
        uint32_t *account;
        uint64_t *power;
    } committee[ACCOUNTABLE_EPOCHS]; /* by epoch modulo their number */
    struct entry *extra;             /* from certificates, after a fork */
    uint32_t extras, extras_max;
    bool told;
};

static void accountable_init(void *state, const struct ds_check_config *config,
                             struct ds_check_report *report)
{
    struct accountable *s = state;
    size_t voters = config->voters != 0 ? config->voters : 1;
    size_t ring = ACCOUNTABLE_BYTES / sizeof(struct entry) / voters;
    s->report = report;
    s->config = config;
    s->ring = ring < 16 ? 16 : ring > 256 ? 256 : (uint32_t)ring;
    s->log = dc_mem_need(config->nodes, sizeof *s->log, "signed messages");
}

static void accountable_free(void *state)
{
    struct accountable *s = state;
    for (uint32_t i = 0; i < s->config->nodes; i++)
        dc_mem_free(s->log[i].entry);
    for (int i = 0; i < ACCOUNTABLE_EPOCHS; i++) {
        dc_mem_free(s->committee[i].account);
        dc_mem_free(s->committee[i].power);
    }
    dc_mem_free(s->log);
    dc_mem_free(s->extra);
}

static void accountable_committee(void *state, const struct ds_check_committee *drawn,
                                  const struct ds_check_committee *used, int64_t time_ns)
{
    (void)drawn;
    (void)time_ns;
    struct accountable *s = state;
    uint32_t at = used->epoch % ACCOUNTABLE_EPOCHS;
    dc_mem_free(s->committee[at].account);
    dc_mem_free(s->committee[at].power);
    s->committee[at].epoch = used->epoch;
    s->committee[at].count = used->count;
    s->committee[at].account =
        dc_mem_need((size_t)used->count + 1, sizeof *used->account, "a committee");
    s->committee[at].power =
        dc_mem_need((size_t)used->count + 1, sizeof *used->power, "a committee");
    if (used->count == 0)
        return;
    memcpy(s->committee[at].account, used->account, used->count * sizeof *used->account);
    memcpy(s->committee[at].power, used->power, used->count * sizeof *used->power);
}

static struct entry entry_of(const struct ds_check_signed *m)
{
    const struct ds_check_proposal *p = m->proposal;
    struct entry e = {.epoch = m->epoch,
                      .round = m->round,
                      .qc_round = m->kind == DS_CHECK_TIMEOUT ? m->qc_round
                                  : p != NULL                 ? p->qc_round
                                                              : UNKNOWN,
                      .block = m->block,
                      .commits = m->commits,
                      .signer = m->signer,
                      .kind = m->kind,
                      .unsafe = m->kind == DS_CHECK_VOTE && p != NULL && !ds_check_safe(p),
                      .whole = m->signature == NULL};
    if (m->signature != NULL)
        memcpy(e.signature, m->signature, sizeof e.signature);
    return e;
}

/* Copies of one message go where the first is. */
static bool entry_same(const struct entry *e, const struct ds_check_signed *m)
{
    return e->kind == m->kind && e->epoch == m->epoch && e->round == m->round &&
           (e->kind == DS_CHECK_TIMEOUT
                ? e->qc_round == m->qc_round
                : dc_hash_equal(&e->block, &m->block) && dc_hash_equal(&e->commits, &m->commits));
}

static void accountable_signed(void *state, const struct ds_check_signed *m)
{
    struct accountable *s = state;
    if (m->kind == DS_CHECK_PROPOSED || m->signer >= s->config->nodes)
        return;
    struct log *l = &s->log[m->signer];
    DC_CHECK(s->ring != 0);
    if (l->entry == NULL) {
        l->entry = dc_mem_need(s->ring, sizeof *l->entry, "signed messages");
        for (uint32_t i = 0; i < s->ring; i++)
            l->entry[i].epoch = UNKNOWN;
    }
    for (uint32_t back = 1; back <= 4; back++)
        if (entry_same(&l->entry[(l->next + s->ring - back) % s->ring], m))
            return;
    l->entry[l->next] = entry_of(m);
    l->next = (l->next + 1) % s->ring;
}

static void accountable_take(void *to, const struct ds_check_signed *vote)
{
    struct accountable *s = to;
    if (s->extras == s->extras_max) {
        s->extras_max = s->extras_max == 0 ? 1024 : 2 * s->extras_max;
        s->extra = dc_mem_grow(s->extra, s->extras_max, sizeof *s->extra);
        DC_CHECK(s->extra != NULL);
    }
    s->extra[s->extras++] = entry_of(vote);
}

/* --- after a fork ---------------------------------------------------------------------------- */

static bool entry_holds(const struct accountable *s, const struct entry *e)
{
    if (e->whole || s->config->holds == NULL)
        return true;
    struct ds_check_signed m = {.epoch = e->epoch,
                                .round = e->round,
                                .qc_round = e->qc_round,
                                .block = e->block,
                                .commits = e->commits,
                                .signer = e->signer,
                                .node = e->signer,
                                .kind = e->kind,
                                .signature = e->signature};
    return s->config->holds(s->config->ctx, &m);
}

/* Two of one signer's messages that contradict one another. */
static bool entries_convict(const struct entry *x, const struct entry *y)
{
    if (x->epoch != y->epoch || x->kind != DS_CHECK_VOTE)
        return false;
    if (y->kind == DS_CHECK_VOTE)
        return x->round == y->round &&
               (!dc_hash_equal(&x->block, &y->block) || !dc_hash_equal(&x->commits, &y->commits));
    return y->round >= x->round && x->qc_round != UNKNOWN && y->qc_round < x->qc_round;
}

static bool accountable_guilty(const struct accountable *s, uint32_t account, uint64_t epoch)
{
    const struct log *l = &s->log[account];
    uint32_t ring = l->entry != NULL ? s->ring : 0, count = 0;
    const struct entry **own =
        dc_mem_need((size_t)ring + s->extras + 1, sizeof(struct entry *), "signed messages");
    for (uint32_t i = 0; i < ring + s->extras; i++) {
        const struct entry *e = i < ring ? &l->entry[i] : &s->extra[i - ring];
        if (e->epoch == epoch && e->signer == account)
            own[count++] = e;
    }
    bool guilty = false;
    for (uint32_t i = 0; i < count && !guilty; i++) {
        guilty = own[i]->unsafe && entry_holds(s, own[i]);
        for (uint32_t k = 0; k < count && !guilty; k++)
            guilty =
                entries_convict(own[i], own[k]) && entry_holds(s, own[i]) && entry_holds(s, own[k]);
    }
    dc_mem_free(own);
    return guilty;
}

static void accountable_fork(void *state, const struct ds_check_fork *f)
{
    struct accountable *s = state;
    struct ds_check_report *r = s->report;
    uint64_t epoch = f->height == 0 ? 0 : (f->height - 1) / s->config->epoch_blocks;
    uint32_t at = epoch % ACCOUNTABLE_EPOCHS;
    if (s->told || s->committee[at].account == NULL || s->committee[at].epoch != epoch)
        return; /* the first fork is the one; the others follow from it */
    s->told = true;
    if (s->config->certified != NULL)
        s->config->certified(s->config->ctx, accountable_take, s);
    char names[128] = "";
    size_t used = 0;
    for (uint32_t i = 0; i < s->committee[at].count; i++) {
        uint32_t account = s->committee[at].account[i];
        r->guilty_of += s->committee[at].power[i];
        if (account >= s->config->nodes || !accountable_guilty(s, account, epoch))
            continue;
        r->guilty_power += s->committee[at].power[i];
        if (r->guilty++ < 12)
            used += (size_t)snprintf(names + used, sizeof names - used, " %u", account);
    }
    ds_check_add(r, DS_CHECK_AGREEMENT,
                 "; signed contradictions convict %u of %u members, %llu of %llu of the power:%s%s",
                 r->guilty, s->committee[at].count, (unsigned long long)r->guilty_power,
                 (unsigned long long)r->guilty_of, names, r->guilty > 12 ? " ..." : "");
    if ((unsigned __int128)r->guilty_power * 3 < r->guilty_of)
        ds_check_tell(r, DS_CHECK_ACCOUNTABLE, f->time_ns,
                      "the fork at height %llu convicts validators with %llu of %llu of the power, "
                      "less than a third (%u of %u members:%s)",
                      (unsigned long long)f->height, (unsigned long long)r->guilty_power,
                      (unsigned long long)r->guilty_of, r->guilty, s->committee[at].count,
                      r->guilty != 0 ? names : " none");
}

const struct ds_check_class ds_check_accountable = {
    .name = "accountable",
    .line = "a fork convicts at least a third of the power by its own signatures",
    .state_bytes = sizeof(struct accountable),
    .init = accountable_init,
    .free = accountable_free,
    .committee = accountable_committee,
    .signed_ = accountable_signed,
    .fork = accountable_fork,
};
