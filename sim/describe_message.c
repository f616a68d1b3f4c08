/* Messages in the protocol's terms; see describe.h.  A kind is a row of the table `kinds`. */
#include "sim/describe.h"

#include <string.h>

#include "models/client/app.h"
#include "models/node/channel.h"
#include "models/node/holder_impl.h"
#include "models/wire/consensus_msg.h"
#include "models/wire/epoch_msg.h"
#include "models/wire/service_msg.h"

struct words {
    const struct ds_scenario *scenario;
    struct dc_text *out;
};

void ds_describe_node(const struct ds_scenario *s, uint32_t node, struct dc_text *out)
{
    for (size_t g = 0; g < s->groups_count; g++)
        if (node >= s->groups[g].first && node - s->groups[g].first < s->groups[g].count) {
            dc_text_printf(out, "%s[%llu]", s->groups[g].name,
                           (unsigned long long)(node - s->groups[g].first));
            return;
        }
    dc_text_printf(out, "node %u", node);
}

static void add_node(struct words *w, const char *before, uint32_t node)
{
    dc_text_add(w->out, before);
    ds_describe_node(w->scenario, node, w->out);
}

static void add_hash(struct words *w, const char *before, const struct dc_hash *h)
{
    dc_text_printf(w->out, "%s%02x%02x%02x%02x", before, h->b[0], h->b[1], h->b[2], h->b[3]);
}

static bool is_zero(const struct dc_hash *h)
{
    static const struct dc_hash zero;
    return memcmp(h, &zero, sizeof zero) == 0;
}

#define U(x) ((unsigned long long)(x))

/* ---- consensus ------------------------------------------------------------------------------- */

static void add_vote(struct words *w, const struct dc_vote *v)
{
    add_hash(w, "for block ", &v->block);
    if (!is_zero(&v->commits))
        add_hash(w, " commits ", &v->commits);
}

static void add_qc(struct words *w, const char *before, const struct dc_qc *qc)
{
    dc_text_printf(w->out, "%sQC epoch %llu round %llu", before, U(qc->epoch), U(qc->round));
    add_hash(w, " of block ", &qc->block);
    if (!is_zero(&qc->commits))
        add_hash(w, " commits ", &qc->commits);
    dc_text_printf(w->out, " (%u of %u)", qc->signatures, qc->members);
}

static void add_block(struct words *w, const struct dc_block *b)
{
    const struct dc_header *h = &b->header;
    dc_text_printf(w->out, "height %llu epoch %llu round %llu", U(h->height), U(h->epoch),
                   U(h->round));
    add_node(w, " by ", h->proposer);
    add_hash(w, ", block ", &b->id);
    add_hash(w, " on ", &h->parent);
    if (h->seal != 0)
        dc_text_add(w->out, ", seal");
    else
        dc_text_printf(w->out, ", %u transaction%s", b->tx_count, b->tx_count == 1 ? "" : "s");
    if (b->tc != NULL)
        dc_text_printf(w->out, ", after TC round %llu", U(b->tc->round));
    if (b->handover != NULL)
        dc_text_printf(w->out, ", hand-over of epoch %llu", U(b->handover->epoch));
}

void ds_describe_block(const struct ds_scenario *s, const struct dc_block *b, struct dc_text *out)
{
    struct words w = {s, out};
    add_block(&w, b);
}

static bool say_block(struct words *w, const uint8_t *bytes, size_t size)
{
    struct dc_block *b = dc_block_decode(bytes, size);
    if (b == NULL)
        return false;
    add_block(w, b);
    dc_block_drop(b);
    return true;
}

static bool say_proposal(struct words *w, const uint8_t *bytes, size_t size)
{
    return say_block(w, bytes + 1, size - 1);
}

static bool say_reply(struct words *w, const uint8_t *bytes, size_t size)
{
    if (size < 2 || !say_block(w, bytes + 2, size - 2))
        return false;
    dc_text_printf(w->out, ", %u to come%s", bytes[1] & ~DC_REPLY_MORE & 0xffu,
                   (bytes[1] & DC_REPLY_MORE) != 0 ? ", more above" : "");
    return true;
}

static bool say_vote(struct words *w, const uint8_t *bytes, size_t size)
{
    struct dc_vote v;
    if (!dc_vote_decode(bytes, size, &v))
        return false;
    dc_text_printf(w->out, "epoch %llu round %llu ", U(v.epoch), U(v.round));
    add_vote(w, &v);
    add_node(w, " by ", v.signer);
    return true;
}

static bool say_timeout(struct words *w, const uint8_t *bytes, size_t size)
{
    struct dc_timeout t;
    if (!dc_timeout_decode(bytes, size, &t))
        return false;
    dc_text_printf(w->out, "epoch %llu round %llu, highest QC round %llu", U(t.epoch), U(t.round),
                   U(t.qc_round));
    if (t.voted) {
        dc_text_add(w->out, ", voted ");
        add_vote(w, &t.vote);
    }
    add_node(w, " by ", t.signer);
    return true;
}

static bool say_sync(struct words *w, const uint8_t *bytes, size_t size)
{
    struct dc_sync_msg m;
    if (!dc_sync_decode(bytes, size, &m))
        return false;
    struct dc_qc *qc = m.qc != NULL ? dc_qc_decode(m.qc, m.qc_size) : NULL;
    struct dc_tc *tc = m.tc != NULL ? dc_tc_decode(m.tc, m.tc_size) : NULL;
    bool good = (m.qc == NULL || qc != NULL) && (m.tc == NULL || tc != NULL);
    dc_text_printf(w->out, "epoch %llu", U(m.epoch));
    if (qc != NULL)
        add_qc(w, ", ", qc);
    if (tc != NULL)
        dc_text_printf(w->out, ", TC round %llu (%u of %u, highest QC round %llu)", U(tc->round),
                       tc->signatures, tc->members, U(tc->qc_round_max));
    dc_qc_drop(qc);
    dc_tc_drop(tc);
    return good;
}

static bool say_handover(struct words *w, const uint8_t *bytes, size_t size)
{
    struct dc_handover *h = dc_handover_decode(bytes + 1, size - 1);
    if (h == NULL)
        return false;
    dc_text_printf(w->out, "of epoch %llu, height %llu", U(h->epoch), U(h->height));
    add_hash(w, ", last block ", &h->last);
    add_hash(w, ", next committee ", &h->committee_root);
    dc_handover_drop(h);
    return true;
}

static bool say_request(struct words *w, const uint8_t *bytes, size_t size)
{
    struct dc_block_request q;
    if (!dc_block_request_decode(bytes, size, &q))
        return false;
    if ((q.flags & DC_REQUEST_BLOCKS) != 0) {
        dc_text_printf(w->out, "above height %llu", U(q.height));
        if (!is_zero(&q.tip))
            add_hash(w, " up to block ", &q.tip);
    }
    if ((q.flags & DC_REQUEST_CERTIFICATES) != 0)
        dc_text_printf(w->out, "%scertificates",
                       (q.flags & DC_REQUEST_BLOCKS) != 0 ? ", and " : "");
    return true;
}

static bool say_epoch_request(struct words *w, const uint8_t *bytes, size_t size)
{
    uint64_t first;
    if (!dc_epoch_request_decode(bytes, size, &first))
        return false;
    dc_text_printf(w->out, "for hand-overs from epoch %llu on", U(first));
    return true;
}

static bool say_epoch_reply(struct words *w, const uint8_t *bytes, size_t size)
{
    struct dc_epoch_reply r;
    if (!dc_epoch_reply_decode(bytes, size, &r))
        return false;
    dc_text_printf(w->out, "with hand-overs of epochs %llu to %llu%s", U(r.first),
                   U(r.first + r.count - 1), r.more ? ", more to come" : "");
    return true;
}

static bool say_state_request(struct words *w, const uint8_t *bytes, size_t size)
{
    struct dc_state_request r;
    if (!dc_state_request_decode(bytes, size, &r))
        return false;
    dc_text_printf(w->out, "on which epoch %llu begins", U(r.epoch));
    add_hash(w, ", after block ", &r.last);
    return true;
}

static bool say_state_reply(struct words *w, const uint8_t *bytes, size_t size)
{
    struct dc_state_reply r;
    if (!dc_state_reply_decode(bytes, size, &r))
        return false;
    dc_text_printf(w->out, "with a state of %llu bytes after ", U(r.state_bytes));
    return say_block(w, r.block, r.block_size);
}

static bool say_tx(struct words *w, const uint8_t *bytes, size_t size)
{
    return ds_describe_tx(w->scenario, bytes + 1, size - 1, w->out);
}

/* ---- challenges and clients ------------------------------------------------------------------ */

static bool say_challenge(struct words *w, const uint8_t *bytes, size_t size)
{
    uint64_t height;
    uint8_t asking;
    if (!dc_challenge_decode(bytes, size, &height, &asking))
        return false;
    dc_text_printf(w->out, "of height %llu, asking %u", U(height), asking);
    return true;
}

static bool say_answer(struct words *w, const uint8_t *bytes, size_t size)
{
    struct dc_answer_msg a;
    if (!dc_answer_decode(0, bytes, size, &a)) /* the chain matters to its digest alone */
        return false;
    dc_text_printf(w->out, "to the challenge of height %llu, asking %u", U(a.height), a.asking);
    add_node(w, ", by ", a.node);
    dc_text_printf(w->out, ", proofs of %u and %u bytes", a.sync_size, a.storage_size);
    return true;
}

static bool say_put(struct words *w, const uint8_t *bytes, size_t size)
{
    uint64_t request;
    struct dc_hash seed;
    struct dc_put_terms t;
    if (!dc_put_decode(bytes, size, &request, &seed, &t))
        return false;
    dc_text_printf(w->out, "request %llu, %llu bytes for %u epochs", U(request), U(t.size_bytes),
                   t.epochs);
    add_node(w, " at ", t.node);
    return true;
}

static const char *reply_word(uint8_t status)
{
    return status == DC_REPLY_OK        ? "ok"
           : status == DC_REPLY_REFUSED ? "refused"
           : status == DC_REPLY_MISSING ? "missing"
                                        : "of unknown status";
}

static bool say_put_reply(struct words *w, const uint8_t *bytes, size_t size)
{
    uint64_t request;
    uint8_t status;
    const uint8_t *signature;
    if (!dc_put_reply_decode(bytes, size, &request, &status, &signature))
        return false;
    dc_text_printf(w->out, "request %llu: %s", U(request), reply_word(status));
    return true;
}

static bool say_get(struct words *w, const uint8_t *bytes, size_t size)
{
    uint64_t request, chunk;
    uint32_t deal;
    if (!dc_get_decode(bytes, size, &request, &deal, &chunk))
        return false;
    dc_text_printf(w->out, "request %llu, deal %u chunk %llu", U(request), deal, U(chunk));
    return true;
}

static bool say_get_reply(struct words *w, const uint8_t *bytes, size_t size)
{
    uint64_t request;
    uint8_t status, depth;
    const uint8_t *chunk, *path;
    if (!dc_get_reply_decode(bytes, size, &request, &status, &chunk, &path, &depth))
        return false;
    dc_text_printf(w->out, "request %llu: %s", U(request), reply_word(status));
    return true;
}

static bool say_report(struct words *w, const struct dc_report_terms *t)
{
    dc_text_printf(w->out, "epoch %llu, %u of %u timely, %llu nDSYNC", U(t->epoch), t->timely,
                   t->sent, U(t->paid));
    add_node(w, ", of ", t->client);
    add_node(w, " about ", t->node);
    return true;
}

static bool say_receipt(struct words *w, const uint8_t *bytes, size_t size)
{
    struct dc_report_terms t;
    return dc_receipt_decode(bytes, size, &t) && say_report(w, &t);
}

static bool say_receipt_reply(struct words *w, const uint8_t *bytes, size_t size)
{
    struct dc_report_terms t;
    const uint8_t *signature;
    return dc_receipt_reply_decode(bytes, size, &t, &signature) && say_report(w, &t);
}

static bool say_app(struct words *w, const uint8_t *bytes, size_t size)
{
    struct dc_app_message m;
    if (!dc_app_message_decode(bytes, size, &m))
        return false;
    if (m.number < w->scenario->applications_count)
        dc_text_printf(w->out, "of %s ", w->scenario->applications[m.number].name);
    dc_text_printf(w->out, "(%s), step %u, %u bytes", ds_choices_application[m.kind].name, m.step,
                   m.size);
    return true;
}

static bool say_holder(struct words *w, const uint8_t *bytes, size_t size)
{
    static const char *const steps[] = {NULL, "asks for commitments", "commits",
                                        "sends the package", "signs its share"};
    if (size < HOLDER_HEAD_BYTES || bytes[1] == 0 || bytes[1] >= sizeof steps / sizeof steps[0])
        return false;
    dc_text_printf(w->out, "%s: grant %llu, counter %llu, %zu bytes", steps[bytes[1]],
                   U(dc_get64(bytes + 10)), U(dc_get64(bytes + 2)), size);
    return true;
}

static bool say_handshake(struct words *w, const uint8_t *bytes, size_t size)
{
    static const char *const hellos[DC_HELLO_COUNT] = {[DC_HELLO_XX1] = "XX, first",
                                                       [DC_HELLO_XX2] = "XX, second",
                                                       [DC_HELLO_XX3] = "XX, third",
                                                       [DC_HELLO_IK1] = "IK, first",
                                                       [DC_HELLO_IK2] = "IK, second",
                                                       [DC_HELLO_CONFIRM] = "confirmation",
                                                       [DC_HELLO_RESET] =
                                                           "reset: session not known",
                                                       [DC_HELLO_RETRY] = "retry: not for my key"};
    if (size < 2 || bytes[1] >= DC_HELLO_COUNT || hellos[bytes[1]] == NULL)
        return false;
    dc_text_printf(w->out, "%s, %zu bytes", hellos[bytes[1]], size);
    return true;
}

static bool say_frame(struct words *w, const uint8_t *bytes, size_t size)
{
    if (size < DC_CHANNEL_OVERHEAD_BYTES)
        return false;
    dc_text_printf(w->out, "of session %016llx, counter %llu: %zu bytes sealed",
                   U(dc_get64(bytes + 1)), U(dc_get64(bytes + 9)),
                   size - DC_CHANNEL_OVERHEAD_BYTES);
    return true;
}

/* Kinds that are not here are told by name and size. */
static const struct {
    uint8_t kind;
    bool (*say)(struct words *w, const uint8_t *bytes, size_t size);
} kinds[] = {{DC_MSG_PROPOSAL, say_proposal},
             {DC_MSG_VOTE, say_vote},
             {DC_MSG_TIMEOUT, say_timeout},
             {DC_MSG_SYNC, say_sync},
             {DC_MSG_HANDOVER, say_handover},
             {DC_MSG_BLOCK_REQUEST, say_request},
             {DC_MSG_BLOCK_REPLY, say_reply},
             {DC_MSG_EPOCH_REQUEST, say_epoch_request},
             {DC_MSG_EPOCH_REPLY, say_epoch_reply},
             {DC_MSG_STATE_REQUEST, say_state_request},
             {DC_MSG_STATE_REPLY, say_state_reply},
             {DC_MSG_TX, say_tx},
             {DC_MSG_CHALLENGE, say_challenge},
             {DC_MSG_ANSWER, say_answer},
             {DC_MSG_PUT, say_put},
             {DC_MSG_PUT_REPLY, say_put_reply},
             {DC_MSG_GET, say_get},
             {DC_MSG_GET_REPLY, say_get_reply},
             {DC_MSG_RECEIPT, say_receipt},
             {DC_MSG_RECEIPT_REPLY, say_receipt_reply},
             {DC_MSG_APP, say_app},
             {DC_MSG_HOLDER, say_holder},
             {DC_MSG_HANDSHAKE, say_handshake},
             {DC_MSG_FRAME, say_frame}};

void ds_describe_message(const struct ds_scenario *s, const uint8_t *bytes, size_t size,
                         struct dc_text *out)
{
    struct words w = {s, out};
    if (size == 0 || bytes[0] >= DC_MSG_COUNT) {
        dc_text_printf(out, "message of no kind, %zu bytes", size);
        return;
    }
    dc_text_printf(out, "%s ", ds_message_names[bytes[0]]);
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (kinds[i].kind != bytes[0])
            continue;
        if (!kinds[i].say(&w, bytes, size))
            dc_text_printf(out, "that does not decode, %zu bytes", size);
        return;
    }
    dc_text_printf(out, "of %zu bytes", size);
}
