/* Metrics that `expect` can name (models/README.md, section 17), and expectations as text:
 *
 *     finality_latency.p99 < 5 s        METRIC[.SUFFIX] OP VALUE
 *     safety                            a truth value that must hold */
#include "sim/scenario/load.h"

#include <math.h>
#include <string.h>

const struct ds_metric ds_metrics[] = {
    {"safety", "bool", DS_SUFFIX_NONE, "no two conflicting blocks are final anywhere"},
    {"supply", "bool", DS_SUFFIX_NONE, "money is conserved to the unit in every final state"},
    {"halted", "bool", DS_SUFFIX_NONE, "the chain made no progress at the end of the run"},
    {"epochs", "1", DS_SUFFIX_NONE, "epochs whose hand-over is final"},
    {"blocks_final", "1", DS_SUFFIX_NONE, "final blocks"},
    {"blocks_per_second", "1/s", DS_SUFFIX_NONE, "final blocks over virtual time"},
    {"transactions_final", "1", DS_SUFFIX_NONE, "in final blocks"},
    {"rounds_timed_out", "1", DS_SUFFIX_NONE, "rounds that ended with a timeout certificate"},
    {"finality_latency", "s", DS_SUFFIX_QUANTILE,
     "from a block's proposal to its commit at a node"},
    {"loss", "%", DS_SUFFIX_NONE,
     "of what is issued to service nodes: leaked to cheats, honest value slashed, lost while "
     "ejected, "
     "cost of challenges"},
    {"loss_leaked", "%", DS_SUFFIX_NONE, "part of loss: reward paid to cheats"},
    {"loss_slashed", "%", DS_SUFFIX_NONE, "part of loss: honest value slashed"},
    {"loss_ejected", "%", DS_SUFFIX_NONE, "part of loss: reward honest nodes lost while ejected"},
    {"loss_challenges", "%", DS_SUFFIX_NONE, "part of loss: cost of challenges"},
    {"loss_with_harm", "%", DS_SUFFIX_NONE,
     "loss, and the value that clients keep on missing data"},
    {"theta_lift", "1", DS_SUFFIX_NONE,
     "loss that theta saves over loss that as many random audits save; below 1 theta is not worth "
     "using (record.lift)"},
    {"lift_detections", "1", DS_SUFFIX_NONE,
     "cheats that failed, over those that as many random audits find (record.lift)"},
    {"lift_loss_none", "%", DS_SUFFIX_NONE, "loss of the same run without theta (record.lift)"},
    {"lift_loss_audits", "%", DS_SUFFIX_NONE,
     "loss of the same run with as many random audits instead of theta (record.lift)"},
    {"challenges_total", "1", DS_SUFFIX_NONE, "challenges drawn"},
    {"challenges_theta", "1", DS_SUFFIX_NONE, "of nodes below theta"},
    {"challenges_audit", "1", DS_SUFFIX_NONE, "by the audit coin"},
    {"challenges_flag", "1", DS_SUFFIX_NONE, "of flagged nodes"},
    {"challenges_escalation", "1", DS_SUFFIX_NONE,
     "of nodes that failed and have not passed since"},
    {"challenges_ready", "1", DS_SUFFIX_NONE, "of nodes whose service is to be ready for more"},
    {"challenge_load", "1", DS_SUFFIX_NONE,
     "mean over epochs of challenges drawn over nodes that can be challenged"},
    {"challenge_precision", "1", DS_SUFFIX_NONE, "share of challenges that met a cheat"},
    {"challenge_bytes_share", "1", DS_SUFFIX_NONE, "share of all bytes that challenges caused"},
    {"theta_quantile", "1", DS_SUFFIX_NONE, "share of service nodes with utilisation below theta"},
    {"theta_mean", "1", DS_SUFFIX_NONE, "mean over epochs of the theta in force"},
    {"forecast_error", "1", DS_SUFFIX_NONE,
     "mean absolute error of forecast utilisation, one epoch ahead"},
    {"u_auroc", "1", DS_SUFFIX_NONE, "how well low utilisation tells cheats from honest nodes"},
    {"detect_5", "1", DS_SUFFIX_STRATEGY, "share of cheats that failed within 5 epochs of turning"},
    {"detect_20", "1", DS_SUFFIX_STRATEGY, "share of cheats that failed within 20 epochs"},
    {"mttd", "1", DS_SUFFIX_STRATEGY, "mean epochs until a cheat failed, censored at the end"},
    {"time_to_eject", "1", DS_SUFFIX_STRATEGY, "mean epochs until a cheat was ejected, censored"},
    {"false_fail_rate", "1", DS_SUFFIX_LINK, "share of honest nodes' challenges that failed"},
    {"honest_slashed", "1", DS_SUFFIX_LINK, "honest nodes that lost a part of their bond"},
    {"honest_slashed_equivocation", "1", DS_SUFFIX_NONE, "of those, for equivocation"},
    {"honest_ejections_per_1000", "1", DS_SUFFIX_LINK, "ejections per 1000 honest service nodes"},
    {"max_ejections_one_node", "1", DS_SUFFIX_NONE, "most ejections of one honest node"},
    {"honest_ejections", "1", DS_SUFFIX_NONE, "ejections of honest service nodes"},
    {"nearest_ejection", "1", DS_SUFFIX_NONE,
     "most that the ejection test held against an honest service node; from 1 on it is ejected"},
    {"cheat_seat_share", "1", DS_SUFFIX_NONE,
     "largest share of a committee's power that cheats had"},
    {"leak_by_strategy", "DSYNC", DS_SUFFIX_STRATEGY, "reward paid to nodes of a strategy"},
    {"profit_by_strategy", "DSYNC", DS_SUFFIX_STRATEGY,
     "mean of reward - costs - slashes of a strategy's nodes"},
    {"share_by_strategy", "1", DS_SUFFIX_STRATEGY,
     "share of the service nodes that follow a strategy at the end"},
    {"cheat_share", "1", DS_SUFFIX_NONE, "share of the service nodes that cheat at the end"},
    {"wash_margin", "DSYNC", DS_SUFFIX_NONE,
     "mean per washer and epoch: what washing gained less what it burned"},
    {"data_at_risk", "By", DS_SUFFIX_NONE, "paid bytes on nodes that lack them, at the end"},
    {"requests_total", "1", DS_SUFFIX_NONE, "client requests begun"},
    {"requests_failed", "1", DS_SUFFIX_NONE, "client requests that failed after their retries"},
    {"messages", "1", DS_SUFFIX_KIND, "messages sent"},
    {"bytes", "By", DS_SUFFIX_KIND, "bytes sent, headers included"},
    {"invalid_messages", "1", DS_SUFFIX_NONE, "messages that a decoder or signature refused"},
    {"honest_failed", "1", DS_SUFFIX_LINK, "challenges that honest nodes failed"},
    {"flags_from", "1", DS_SUFFIX_NONE,
     "epochs until the soonest flag is possible: a detector's warm-up and its window"},
    {"flags_total", "1", DS_SUFFIX_NONE, "flags of anomaly detection"},
    {"flags_false", "1", DS_SUFFIX_NONE, "of those, of honest nodes"},
    {"flag_precision", "1", DS_SUFFIX_NONE, "share of flags that met a cheat"},
    {"flag_recall", "1", DS_SUFFIX_STRATEGY, "share of cheats that were flagged at least once"},
    {"detect_fdr", "1", DS_SUFFIX_NONE,
     "mean over epochs of false flags over flags, 0 where there was none"},
    {"violations", "1", DS_SUFFIX_KIND, "violations of invariants; `.NAME`: of one of them"},
    {"recovery_time", "s", DS_SUFFIX_NONE,
     "from `heal.at`, or the end of the last fault, until a block proposed later is final"},
    {"fork_guilty_power", "1", DS_SUFFIX_NONE,
     "after a fork: share of the power whose own signatures convict it"},
    {"faults_executed", "1", DS_SUFFIX_NONE, "times that a fault began"},
    {"equivocators_slashed", "1", DS_SUFFIX_NONE, "validators slashed for equivocation"},
    {"messages_duplicated", "1", DS_SUFFIX_NONE, "copies that faulty links made"},
    {"messages_replayed", "1", DS_SUFFIX_NONE,
     "messages that faulty links brought once more, late"},
    {"messages_corrupted", "1", DS_SUFFIX_NONE, "messages whose bytes faulty links changed"},
    {"handshakes", "1", DS_SUFFIX_NONE, "channels opened between nodes (network.channels)"},
    {"handshake_latency", "s", DS_SUFFIX_QUANTILE,
     "from the first message that needs a channel until it may leave, at who begins"},
    {"channel_refused", "1", DS_SUFFIX_CAUSE,
     "handshakes and frames that a node refused, and handshakes that came to nothing"},
    {"messages_intercepted", "1", DS_SUFFIX_NONE, "messages that a man in the middle kept"},
    {"payments_private", "1", DS_SUFFIX_NONE, "private payments in final blocks"},
    {"payments_called", "1", DS_SUFFIX_NONE, "private payments that came to an end at their payer"},
    {"payments_failed", "1", DS_SUFFIX_NONE, "of those, given up"},
    {"payment_latency", "s", DS_SUFFIX_QUANTILE,
     "from a private payment's call until it is final at its payer"},
    {"notes", "1", DS_SUFFIX_NONE, "notes on the chain at the end, decoys included"},
    {"key_images", "1", DS_SUFFIX_NONE, "notes that were spent"},
    {"shielded_pool", "DSYNC", DS_SUFFIX_NONE, "money in notes at the end"},
    {"proofs_checked", "1", DS_SUFFIX_NONE,
     "proofs of final blocks, each counted at every node that made it final"},
    {"contracts_opened", "1", DS_SUFFIX_CONTRACT, "private contracts made"},
    {"contracts_settled", "1", DS_SUFFIX_CONTRACT, "of those, in their last phase at the end"},
    {"grants", "1", DS_SUFFIX_NONE, "payments out of the fund that the key holders signed together"},
    {"beacons", "1", DS_SUFFIX_NONE, "times that the key holders made the chain's randomness"},
    {"applications_done", "1", DS_SUFFIX_NONE,
     "private applications that came to an end at their owner"},
    {"applications_exact", "1", DS_SUFFIX_NONE,
     "of those, that came to what their members' own numbers come to in plain, all taking part"},
    {"applications_refused", "1", DS_SUFFIX_NONE, "parts in them that a node could not take up"},
    {"application_result", "1", DS_SUFFIX_APPLICATION,
     "what it came to: an auction's price in DSYNC, 1 where an escrow paid, the mean rating, the "
     "usage in sum, 1 where a training is exact, the participants whose inference is"},
    {"application_exact", "bool", DS_SUFFIX_APPLICATION,
     "what it came to is what its members' own numbers come to in plain, all taking part"},
    {"training_exact", "bool", DS_SUFFIX_NONE,
     "every encrypted training led to the very weights of the plain computation"},
    {"inference_exact", "bool", DS_SUFFIX_NONE,
     "every encrypted inference gave the very answers of the plain computation"},
};
const size_t ds_metrics_count = sizeof ds_metrics / sizeof ds_metrics[0];

bool ds_expect_holds(const struct ds_expect *e, double value)
{
    switch (e->op) {
    case DS_OP_HOLDS: return value == 1;
    case DS_OP_LT: return value < e->value;
    case DS_OP_LE: return value <= e->value;
    case DS_OP_GT: return value > e->value;
    case DS_OP_GE: return value >= e->value;
    case DS_OP_EQ: return value == e->value;
    case DS_OP_NE: return value != e->value && !isnan(value);
    }
    return false;
}

/* As dc_channel_outcome_name has them, without the first. */
static const char *const metric_causes[] = {
    "bad_handshake", "foreign", "other_subject", "other_key", "expired", "revoked",
    "replaced",      "timeout", "unknown",       "replayed",  "forged",  "full"};
static const char *const metric_quantiles[] = {"p50", "p95", "p99", "mean", "max"};

static bool metric_suffix(struct ds_bind *b, const struct ds_yaml *node, const char *what,
                          const struct ds_metric *metric, const char *suffix)
{
    struct ds_nearest nearest = {.word = suffix};
    const char *wanted = "";
    switch (metric->suffix) {
    case DS_SUFFIX_NONE:
        if (suffix[0] == '\0')
            return true;
        ds_bind_error(b, node, "%s: `%s` has no parts: write it without `.%s`", what, metric->name,
                      suffix);
        return false;
    case DS_SUFFIX_KIND: return true;
    case DS_SUFFIX_APPLICATION: /* whether there is one is looked at when all are read */
        if (suffix[0] != '\0')
            return true;
        wanted = "the names of applications";
        break;
    case DS_SUFFIX_CONTRACT:
        if (suffix[0] == '\0')
            return true;
        wanted = "auction, escrow, rating, usage";
        for (const struct ds_choice *c = ds_choices_application; c->name != NULL; c++) {
            if (c->value > DS_APPLICATION_USAGE)
                continue;
            if (strcmp(c->name, suffix) == 0)
                return true;
            ds_nearest_try(&nearest, c->name);
        }
        break;
    case DS_SUFFIX_CAUSE:
        if (suffix[0] == '\0')
            return true;
        wanted = "what channels refuse for";
        for (size_t i = 0; i < sizeof metric_causes / sizeof metric_causes[0]; i++) {
            if (strcmp(suffix, metric_causes[i]) == 0)
                return true;
            ds_nearest_try(&nearest, metric_causes[i]);
        }
        break;
    case DS_SUFFIX_LINK:
        if (suffix[0] == '\0' || (strncmp(suffix, "link", 4) == 0 && suffix[4] != '\0' &&
                                  strspn(suffix + 4, "0123456789") == strlen(suffix + 4)))
            return true;
        wanted = "link0, link1 ...: the classes of a group's links";
        break;
    case DS_SUFFIX_QUANTILE:
        wanted = "p50, p95, p99, mean, max";
        for (size_t i = 0; i < sizeof metric_quantiles / sizeof metric_quantiles[0]; i++)
            if (strcmp(suffix, metric_quantiles[i]) == 0)
                return true;
        break;
    case DS_SUFFIX_STRATEGY:
        if (suffix[0] == '\0')
            return true;
        wanted = "the strategies";
        for (const struct ds_choice *c = ds_choices_strategy; c->name != NULL; c++) {
            size_t n = strlen(c->name);
            if (strncmp(suffix, c->name, n) == 0 && (suffix[n] == '\0' || suffix[n] == '('))
                return true;
            ds_nearest_try(&nearest, c->name);
        }
        break;
    }
    ds_bind_error(b, node, "%s: `%s%s%s`: %s is one of %s%s%s%s", what, metric->name,
                  suffix[0] != '\0' ? "." : "", suffix,
                  suffix[0] != '\0' ? "after the dot" : "what comes after a dot is missing, which",
                  wanted, nearest.name != NULL ? ": did you mean `" : "",
                  nearest.name != NULL ? nearest.name : "", nearest.name != NULL ? "`?" : "");
    return false;
}

const struct ds_metric *ds_bind_metric(struct ds_bind *b, const struct ds_yaml *node,
                                       const char *what, const char *full)
{
    char name[64] = {0};
    size_t size = strcspn(full, ".");
    memcpy(name, full, size < 63 ? size : 63);
    struct ds_nearest nearest = {.word = name};
    for (size_t i = 0; i < ds_metrics_count; i++) {
        if (strcmp(ds_metrics[i].name, name) == 0) {
            const char *suffix = full[size] == '.' ? full + size + 1 : "";
            return metric_suffix(b, node, what, &ds_metrics[i], suffix) ? &ds_metrics[i] : NULL;
        }
        ds_nearest_try(&nearest, ds_metrics[i].name);
    }
    if (nearest.name != NULL)
        ds_bind_error(b, node, "%s: unknown metric `%s`: did you mean `%s`?", what, name,
                      nearest.name);
    else
        ds_bind_error(b, node, "%s: unknown metric `%s`: `destrasim list` names them all", what,
                      name);
    return NULL;
}

bool ds_bind_metric_value(struct ds_bind *b, const struct ds_yaml *node, const char *what,
                          const struct ds_metric *metric, const char *text, double *value)
{
    static const struct {
        const char *unit;
        enum ds_value_dim dim;
        double scale;
    } units[] = {{"s", DS_DIM_TIME, 1e9},     {"1", DS_DIM_SHARE, 1}, {"bool", DS_DIM_NUMBER, 1},
                 {"By", DS_DIM_SIZE, 1},      {"%", DS_DIM_SHARE, 1}, {"1/s", DS_DIM_RATE, 1},
                 {"DSYNC", DS_DIM_MONEY, 1e9}};
    size_t u = 0;
    while (strcmp(units[u].unit, metric->unit) != 0)
        u++;
    struct dc_text why = {0};
    bool percent = strcmp(metric->unit, "%") == 0, ok;
    size_t negative = text[0] == '-'; /* a profit may be */
    if (percent && strchr(text, '%') == NULL) {
        dc_text_printf(&why, "`%s` is in percent: write `%s %%`", metric->name, text);
        ok = false;
    } else {
        ok = ds_value_real(text + negative, strlen(text) - negative, units[u].dim, value, &why);
    }
    if (negative)
        *value = -*value;
    if (!ok)
        ds_bind_why(b, node, what, &why);
    *value = percent ? *value * 100 : *value / units[u].scale;
    dc_text_free(&why);
    return ok;
}

bool ds_bind_expect(struct ds_bind *b, const struct ds_yaml *node, const char *what,
                    struct ds_expect *out)
{
    static const struct {
        const char *word;
        enum ds_op op;
    } ops[] = {{"<=", DS_OP_LE}, {">=", DS_OP_GE}, {"==", DS_OP_EQ},
               {"!=", DS_OP_NE}, {"<", DS_OP_LT},  {">", DS_OP_GT}};
    const char *text = node->text;
    *out = (struct ds_expect){.text = text, .place = node->place, .op = DS_OP_HOLDS, .value = 1};
    size_t size = strcspn(text, " <>=!");
    char *name = ds_yaml_copy(b->arena, text, size);
    if (name == NULL) {
        b->d->failed = true;
        return false;
    }
    out->metric = name;
    const struct ds_metric *metric = ds_bind_metric(b, node, what, name);
    if (metric == NULL)
        return false;
    const char *p = text + size + strspn(text + size, " ");
    bool truth = strcmp(metric->unit, "bool") == 0;
    if (*p == '\0') {
        if (!truth)
            ds_bind_error(b, node, "%s: `%s` is a number: compare it, as in `%s < 5`", what, name,
                          name);
        return truth;
    }
    for (size_t i = 0; i < sizeof ops / sizeof ops[0]; i++) {
        size_t n = strlen(ops[i].word);
        if (strncmp(p, ops[i].word, n) != 0)
            continue;
        out->op = ops[i].op;
        p += n;
        p += strspn(p, " ");
        return ds_bind_metric_value(b, node, what, metric, p, &out->value);
    }
    ds_bind_error(b, node, "%s: `%s`: after the metric comes one of < <= > >= == !=", what, text);
    return false;
}

void ds_bind_expects(struct ds_bind *b, const struct ds_param *row, const struct ds_yaml *node)
{
    size_t count = node->kind == DS_YAML_SEQUENCE ? node->count : 1;
    if (node->kind == DS_YAML_MAP || count > 1000) {
        ds_bind_error(b, node,
                      "%s takes a list of at most 1000 lines such as "
                      "`- finality_latency.p99 < 5 s`",
                      ds_param_name(row));
        return;
    }
    struct ds_expect *items = ds_bind_alloc(b, count, sizeof *items);
    if (items == NULL)
        return;
    memcpy((char *)b->out + row->offset, &items, sizeof items);
    memcpy((char *)b->out + row->count_offset, &count, sizeof count);
    const struct ds_yaml *n = node->kind == DS_YAML_SCALAR ? node : node->first;
    for (size_t i = 0; i < count; i++, n = n->next) {
        if (n->kind == DS_YAML_SCALAR)
            ds_bind_expect(b, n, "expect", &items[i]);
        else
            ds_bind_error(b, n, "expect: an expectation is a text such as `safety`");
    }
}
