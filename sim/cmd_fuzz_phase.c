/* Coverage: in which phases of the protocol faults begin, from the messages that arrive anywhere. */
#include "models/wire/block.h"
#include "sim/cmd_fuzz.h"

#define SECOND INT64_C(1000000000)

const char *const ds_fuzz_phase_names[DS_FUZZ_PHASES] = {"start",      "proposing",    "voting",
                                                         "timing out", "epoch change", "catch-up",
                                                         "challenge",  "silence"};

static void phase_message(struct ds_fuzz_watch *w, enum dc_message kind, int64_t now_ns)
{
    switch (kind) {
    case DC_MSG_PROPOSAL: w->proposal_ns = now_ns; break;
    case DC_MSG_VOTE: w->vote_ns = now_ns; break;
    case DC_MSG_TIMEOUT: w->timeout_ns = now_ns; break;
    case DC_MSG_HANDOVER: w->handover_ns = now_ns; break;
    case DC_MSG_SYNC:
    case DC_MSG_BLOCK_REQUEST:
    case DC_MSG_BLOCK_REPLY: w->missed_ns = now_ns; break;
    case DC_MSG_CHALLENGE:
    case DC_MSG_ANSWER: w->challenge_ns = now_ns; break;
    default: break;
    }
}

static void phase_fault(struct ds_fuzz_watch *w, uint32_t fault, int64_t now_ns)
{
    uint64_t *count = w->coverage->count[w->scenario->faults[fault].kind];
    int64_t recent_ns = now_ns - SECOND, last_ns = w->proposal_ns;
    enum ds_fuzz_phase last = DS_FUZZ_PROPOSING;
    if (w->vote_ns >= last_ns) {
        last = DS_FUZZ_VOTING;
        last_ns = w->vote_ns;
    }
    if (w->timeout_ns >= last_ns) {
        last = DS_FUZZ_TIMING_OUT;
        last_ns = w->timeout_ns;
    }
    if (w->proposal_ns < 0)
        count[DS_FUZZ_START]++;
    else
        count[last_ns < recent_ns ? DS_FUZZ_SILENCE : last]++;
    count[DS_FUZZ_EPOCH] += w->handover_ns >= 0 && w->handover_ns >= recent_ns;
    count[DS_FUZZ_CATCH_UP] += w->missed_ns >= 0 && w->missed_ns >= recent_ns;
    count[DS_FUZZ_CHALLENGE] += w->challenge_ns >= 0 && w->challenge_ns >= recent_ns;
}

static void phase_watched(void *ctx, const struct ds_watched *event)
{
    struct ds_fuzz_watch *w = ctx;
    if (event->kind == DS_WATCH_RECEIVED && !event->down && event->size > 0)
        phase_message(w, (enum dc_message)event->bytes[0], event->time_ns);
    else if (event->kind == DS_WATCH_FAULT)
        phase_fault(w, event->fault, event->time_ns);
}

void ds_fuzz_watch(struct ds_fuzz_watch *state, const struct ds_scenario *scenario,
                   struct ds_fuzz_coverage *coverage, struct ds_watch *out)
{
    *state = (struct ds_fuzz_watch){.scenario = scenario,
                                    .coverage = coverage,
                                    .proposal_ns = -1,
                                    .vote_ns = -1,
                                    .timeout_ns = -1,
                                    .handover_ns = -1,
                                    .missed_ns = -1,
                                    .challenge_ns = -1};
    *out = (struct ds_watch){.watched = phase_watched, .ctx = state};
}
