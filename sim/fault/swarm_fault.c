/* A random schedule: how many faults, of which of the run's kinds, when, against whom, how bad.
 *
 * A kind is a row of swarm_kinds: whom it takes, whether it has an end and comes again, and a function
 * that writes what else it needs.  Faults are named by their place in the schedule, so removing one
 * renames no other. */
#include "sim/fault/swarm_draw.h"

#define MS (DS_SWARM_SECOND / 1000)
#define FAULTS_MAX 16
#define BYZANTINE_MORE 3 /* it is fifteen kinds in one */

/* --- words ---------------------------------------------------------------------------------- */

static void swarm_time(struct dc_text *out, const char *key, int64_t ns)
{
    dc_text_printf(out, ", %s: %lld ms", key, (long long)(ns / MS));
}

static void swarm_percent(struct ds_swarm_run *r, struct dc_text *out, const char *key,
                          int64_t high_percent)
{
    dc_text_printf(out, ", %s: %lld %%", key, (long long)ds_swarm_log(r, 1, high_percent));
}

/* Validators with a part, at least one and about half of them: false when there is none. */
static bool swarm_some_of(struct ds_swarm_run *r, enum ds_swarm_part part, struct dc_text *out)
{
    uint32_t have = 0, taken = 0;
    for (uint32_t v = 0; v < r->validators; v++)
        have += r->part[v] == part;
    if (have == 0)
        return false;
    uint32_t skip = (uint32_t)ds_swarm_below(r, have), all = (uint32_t)ds_swarm_below(r, 2);
    for (uint32_t v = 0, i = 0; v < r->validators; v++) {
        if (r->part[v] != part)
            continue;
        if (i++ == skip || all != 0 || ds_swarm_chance(r, 30)) {
            dc_text_add(out, taken++ > 0 ? ", " : "");
            ds_swarm_validator(r, v, out);
        }
    }
    return true;
}

static void swarm_some_validators(struct ds_swarm_run *r, struct dc_text *out)
{
    uint32_t count = 1 + (uint32_t)ds_swarm_below(r, 3),
             v = (uint32_t)ds_swarm_below(r, r->validators);
    for (uint32_t i = 0; i < count && i < r->validators; i++) {
        dc_text_add(out, i > 0 ? ", " : "");
        ds_swarm_validator(r, v, out);
        v = (v + 1 + (uint32_t)ds_swarm_below(r, 2)) % r->validators;
        if (i + 1 < count && r->validators <= 2 * count)
            break; /* they would come round */
    }
}

/* Any nodes, by any kind of selector. */
static void swarm_anybody(struct ds_swarm_run *r, struct dc_text *out)
{
    unsigned n = r->validators;
    switch (ds_swarm_below(r, 10)) {
    case 0:
    case 1:
    case 2: swarm_some_validators(r, out); break;
    case 3: dc_text_printf(out, "%u of validators", 1 + (unsigned)ds_swarm_below(r, n)); break;
    case 4: dc_text_printf(out, "%u %% of all", 10 * (2 + (unsigned)ds_swarm_below(r, 9))); break;
    case 5:
        dc_text_printf(out, "%u %% of stake of validators",
                       10 * (3 + (unsigned)ds_swarm_below(r, 8)));
        break;
    case 6: dc_text_add(out, ds_swarm_chance(r, 50) ? "leaders" : "coming leaders"); break;
    case 7:
        dc_text_printf(out, "top %u by %s of validators",
                       1 + (unsigned)ds_swarm_below(r, n / 2 + 1),
                       ds_swarm_chance(r, 50) ? "centrality" : "power");
        break;
    case 8:
        if (r->services > 0 && ds_swarm_chance(r, 50)) {
            dc_text_add(out, "services");
            break;
        }
        /* fall through */
    default: dc_text_add(out, "validators"); break;
    }
}

static void swarm_selector(struct ds_swarm_run *r, struct dc_text *out, const char *key,
                           void (*who)(struct ds_swarm_run *, struct dc_text *))
{
    dc_text_printf(out, ", %s: '", key);
    who(r, out);
    dc_text_add(out, "'");
}

/* Sides of a partition: every node is on one of them, or all that no side names are on the last. */
static void swarm_sides(struct ds_swarm_run *r, struct dc_text *out)
{
    unsigned sides = ds_swarm_chance(r, 70) ? 2 : 3, side[64];
    for (uint32_t v = 0; v < r->validators && v < 64; v++)
        side[v] = (unsigned)ds_swarm_below(r, sides);
    dc_text_add(out, ", groups: [");
    bool any = false;
    for (unsigned k = 0; k + 1 < sides; k++) {
        const char *comma = any ? ", ['" : "['";
        uint32_t taken = 0;
        for (uint32_t v = 0; v < r->validators && v < 64; v++) {
            if (side[v] != k)
                continue;
            dc_text_add(out, taken++ == 0 ? comma : "', '");
            ds_swarm_validator(r, v, out);
        }
        dc_text_add(out, taken > 0 ? "']" : "");
        any |= taken > 0;
    }
    if (!any) {
        dc_text_add(out, "['");
        ds_swarm_validator(r, 0, out);
        dc_text_add(out, "']");
    }
    dc_text_add(out, ", [rest]]");
}

/* Sometimes it happens again. */
static void swarm_again(struct ds_swarm_run *r, struct dc_text *out)
{
    if (!ds_swarm_chance(r, 25))
        return;
    dc_text_printf(out, ", every: '%s(%lld ms)'",
                   ds_swarm_chance(r, 50) ? "exponential" : "constant",
                   (long long)ds_swarm_log(r, 1000, r->heal_at_ns / MS));
    dc_text_printf(out, ", times: %u", 2 + (unsigned)ds_swarm_below(r, 6));
}

/* --- what a kind needs beside ----------------------------------------------------------------- */

static void swarm_crash(struct ds_swarm_run *r, struct dc_text *out)
{
    if (r->corrupt > 0 && ds_swarm_chance(r, 30)) {
        dc_text_add(out, ", state: none, nodes: '");
        (void)swarm_some_of(r, DS_SWARM_CORRUPT, out);
        dc_text_add(out, "'");
    } else {
        dc_text_add(out, ds_swarm_chance(r, 70) ? ", state: durable" : ", state: full");
        swarm_selector(r, out, "nodes", swarm_anybody);
    }
    if (ds_swarm_chance(r, 20)) { /* a storm: down for a moment, again and again */
        swarm_time(out, "restart", ds_swarm_log(r, 10 * MS, 400 * MS));
        dc_text_printf(out, ", every: 'exponential(%lld ms)', times: %u",
                       (long long)ds_swarm_log(r, 200, 4000), 10 + (unsigned)ds_swarm_below(r, 40));
    } else {
        if (ds_swarm_chance(r, 90))
            swarm_time(out, "restart", ds_swarm_log(r, 50 * MS, 16 * DS_SWARM_SECOND));
        swarm_again(r, out);
    }
}

static void swarm_slow(struct ds_swarm_run *r, struct dc_text *out)
{
    dc_text_printf(out, ", factor: %lld", (long long)ds_swarm_log(r, 2, 64));
}

/* A forgetful disk is the corrupted ones' business; a torn write or a full disk anybody's. */
static void swarm_disk(struct ds_swarm_run *r, struct dc_text *out)
{
    bool forgets = r->corrupt > 0 && ds_swarm_chance(r, 50), first = ds_swarm_chance(r, 50);
    if (forgets) {
        dc_text_printf(out, ", disk: %s, nodes: '", first ? "lost_fsync" : "stale_snapshot");
        (void)swarm_some_of(r, DS_SWARM_CORRUPT, out);
        dc_text_add(out, "'");
        return;
    }
    dc_text_printf(out, ", disk: %s", first ? "torn_write" : "full");
    swarm_selector(r, out, "nodes", swarm_anybody);
    if (first)
        swarm_time(out, "restart", ds_swarm_log(r, 50 * MS, 8 * DS_SWARM_SECOND));
}

/* Time that a chain has been given cannot be taken back: blocks of most clocks a minute ahead would
 * hold it up for that minute after the heal.  So clocks gain seconds at most, and lose what they like. */
static void swarm_clock(struct ds_swarm_run *r, struct dc_text *out)
{
    static const char *const rates[] = {"0", "0.5", "0.9", "0.999", "1.001", "1.01", "1.1"};
    unsigned how = (unsigned)ds_swarm_below(r, 4);
    if (how <= 1)
        swarm_time(out, "ahead", ds_swarm_log(r, MS, 16 * DS_SWARM_SECOND));
    else if (how == 2)
        swarm_time(out, "behind", ds_swarm_log(r, MS, 64 * DS_SWARM_SECOND));
    if (how == 3 || ds_swarm_chance(r, 40))
        dc_text_printf(out, ", rate: %s", rates[ds_swarm_below(r, 7)]);
}

static void swarm_messages(struct ds_swarm_run *r, struct dc_text *out)
{
    static const char *const names[] = {"proposal",  "vote",          "timeout",     "sync",
                                        "handover",  "block_request", "block_reply", "tx",
                                        "challenge", "answer"};
    if (ds_swarm_chance(r, 60))
        return;
    uint32_t some = (uint32_t)ds_swarm_below(r, 1023) + 1;
    const char *comma = "";
    dc_text_add(out, ", messages: [");
    for (unsigned i = 0; i < 10; i++) {
        if ((some >> i & 1) == 0)
            continue;
        dc_text_printf(out, "%s%s", comma, names[i]);
        comma = ", ";
    }
    dc_text_add(out, "]");
}

static void swarm_from_to(struct ds_swarm_run *r, struct dc_text *out)
{
    if (ds_swarm_chance(r, 70))
        swarm_selector(r, out, "src", swarm_anybody);
    if (ds_swarm_chance(r, 50))
        swarm_selector(r, out, "dst", swarm_anybody);
}

static void swarm_link(struct ds_swarm_run *r, struct dc_text *out)
{
    swarm_from_to(r, out);
    swarm_messages(r, out);
    if (ds_swarm_chance(r, 30))
        dc_text_add(out, ", both: off");
    uint64_t some = dc_next64(&r->stream), others = dc_next64(&r->stream);
    uint32_t effects = (uint32_t)(some & others) & 511;
    if (effects == 0)
        effects = 1u << ds_swarm_below(r, 9);
    if ((effects & 1) != 0)
        dc_text_printf(out, ", latency_factor: %lld", (long long)ds_swarm_log(r, 2, 64));
    if ((effects & 2) != 0)
        swarm_time(out, "latency_add", ds_swarm_log(r, 10 * MS, 8 * DS_SWARM_SECOND));
    if ((effects & 4) != 0)
        dc_text_printf(out, ", latency: 'exponential(%lld ms)'",
                       (long long)ds_swarm_log(r, 10, 4000));
    if ((effects & 8) != 0)
        swarm_percent(r, out, "loss", 100);
    if ((effects & 16) != 0) {
        swarm_percent(r, out, "burst_loss", 100);
        swarm_time(out, "burst_every", ds_swarm_log(r, 500 * MS, 16 * DS_SWARM_SECOND));
    }
    if ((effects & 32) != 0)
        swarm_percent(r, out, "duplicate", 100);
    if ((effects & 64) != 0) {
        swarm_percent(r, out, "reorder", 100);
        swarm_time(out, "reorder_by", ds_swarm_log(r, 10 * MS, 4 * DS_SWARM_SECOND));
    }
    if ((effects & 128) != 0)
        swarm_percent(r, out, "corrupt", 64);
    if ((effects & 256) != 0) {
        swarm_percent(r, out, "replay", 64);
        swarm_time(out, "replay_after", ds_swarm_log(r, 100 * MS, 16 * DS_SWARM_SECOND));
    }
}

static void swarm_clog(struct ds_swarm_run *r, struct dc_text *out)
{
    swarm_from_to(r, out);
    swarm_messages(r, out);
}

static void swarm_one_way(struct ds_swarm_run *r, struct dc_text *out)
{
    swarm_selector(r, out, "src", swarm_anybody);
    if (ds_swarm_chance(r, 50))
        swarm_selector(r, out, "dst", swarm_anybody);
}

static void swarm_eclipse(struct ds_swarm_run *r, struct dc_text *out)
{
    swarm_selector(r, out, "nodes", swarm_some_validators);
    swarm_selector(r, out, "attackers", swarm_anybody);
}

static void swarm_asynchrony(struct ds_swarm_run *r, struct dc_text *out)
{
    long long mean_ms = ds_swarm_log(r, 50, 4000);
    if (ds_swarm_chance(r, 50))
        dc_text_printf(out, ", latency: 'exponential(%lld ms)'", mean_ms);
    else
        dc_text_printf(out, ", latency: 'uniform(0 ms, %lld ms)'", 2 * mean_ms);
    if (ds_swarm_chance(r, 20))
        swarm_percent(r, out, "loss", 16);
}

static void swarm_churn(struct ds_swarm_run *r, struct dc_text *out)
{
    dc_text_printf(out, ", mtbf: 'exponential(%lld ms)'", (long long)ds_swarm_log(r, 1000, 32000));
    dc_text_printf(out, ", mttr: 'exponential(%lld ms)'", (long long)ds_swarm_log(r, 100, 8000));
    dc_text_add(out, ds_swarm_chance(r, 70) ? ", state: durable" : ", state: full");
}

static void swarm_exit(struct ds_swarm_run *r, struct dc_text *out)
{
    dc_text_add(out, ", nodes: '");
    if (r->leavers > 0 && (r->services == 0 || ds_swarm_chance(r, 70)))
        (void)swarm_some_of(r, DS_SWARM_LEAVER, out);
    else
        dc_text_add(out, "1 of services");
    dc_text_add(out, "'");
    if (ds_swarm_chance(r, 50))
        swarm_time(out, "notice", ds_swarm_log(r, 100 * MS, 8 * DS_SWARM_SECOND));
}

/* What forks a chain comes up more often: agreement is what all this is about. */
static const char *swarm_behaviour(struct ds_swarm_run *r)
{
    static const uint32_t more[] = {DS_BEHAVIOUR_TWINS, DS_BEHAVIOUR_EQUIVOCATE,
                                    DS_BEHAVIOUR_EQUIVOCATE, DS_BEHAVIOUR_INVALID_CERTIFICATE,
                                    DS_BEHAVIOUR_INVALID_CERTIFICATE};
    uint64_t known = 0, have = sizeof more / sizeof more[0];
    while (ds_choices_behaviour[known].name != NULL)
        known++;
    uint64_t n = ds_swarm_below(r, known + have);
    uint32_t value = n < known ? ds_choices_behaviour[n].value : more[n - known];
    if (value == DS_BEHAVIOUR_TWINS ||
        value == DS_BEHAVIOUR_COLLUDE) /* one of them beside a node */
        value = r->collude ? DS_BEHAVIOUR_COLLUDE : DS_BEHAVIOUR_TWINS;
    for (n = 0; ds_choices_behaviour[n].value != value; n++)
        ;
    return ds_choices_behaviour[n].name;
}

static void swarm_byzantine(struct ds_swarm_run *r, struct dc_text *out)
{
    dc_text_printf(out, ", behaviour: %s", swarm_behaviour(r));
    dc_text_add(out, ", nodes: '");
    (void)swarm_some_of(r, DS_SWARM_CORRUPT, out);
    dc_text_add(out, "'");
    if (ds_swarm_chance(r, 60))
        swarm_selector(r, out, "victims", swarm_anybody);
    if (ds_swarm_chance(r, 50))
        swarm_time(out, "delay", ds_swarm_log(r, 10 * MS, 8 * DS_SWARM_SECOND));
    if (ds_swarm_chance(r, 40))
        swarm_percent(r, out, "share", 100);
}

static void swarm_grief(struct ds_swarm_run *r, struct dc_text *out)
{
    dc_text_add(out, ", nodes: services");
    swarm_time(out, "latency_add", ds_swarm_log(r, 50 * MS, 4 * DS_SWARM_SECOND));
    dc_text_printf(out, ", count: %u", 1 + (unsigned)ds_swarm_below(r, 3));
}

/* --- the kinds ------------------------------------------------------------------------------ */

enum swarm_end { END_NEVER, END_MAYBE, END_ALWAYS };

static const struct swarm_kind {
    void (*more)(struct ds_swarm_run *, struct dc_text *);
    bool nodes;          /* `nodes` is anybody */
    bool sides;          /* it has `groups` */
    enum swarm_end ends; /* whether it takes `for` */
    bool once;           /* it takes no `every`, or says so itself */
    bool still;          /* it takes no `reselect` */
} swarm_kinds[DS_FAULT_SWARM_KINDS] = {
    [DS_FAULT_CRASH] = {.more = swarm_crash, .once = true},
    [DS_FAULT_PAUSE] = {.nodes = true, .ends = END_ALWAYS},
    [DS_FAULT_SLOW_CPU] = {.more = swarm_slow, .nodes = true, .ends = END_MAYBE},
    [DS_FAULT_DISK] = {.more = swarm_disk, .ends = END_ALWAYS},
    [DS_FAULT_CLOCK] = {.more = swarm_clock, .nodes = true, .ends = END_MAYBE},
    [DS_FAULT_LINK] = {.more = swarm_link, .ends = END_MAYBE},
    [DS_FAULT_CLOG] = {.more = swarm_clog, .ends = END_ALWAYS},
    [DS_FAULT_PARTITION] = {.sides = true, .ends = END_MAYBE},
    [DS_FAULT_ISOLATE] = {.nodes = true, .ends = END_MAYBE},
    [DS_FAULT_ONE_WAY] = {.more = swarm_one_way, .ends = END_MAYBE},
    [DS_FAULT_BRIDGE] = {.nodes = true, .sides = true, .ends = END_MAYBE},
    [DS_FAULT_RING] = {.nodes = true, .ends = END_MAYBE},
    [DS_FAULT_ECLIPSE] = {.more = swarm_eclipse, .ends = END_MAYBE},
    [DS_FAULT_ASYNCHRONY] = {.more = swarm_asynchrony, .ends = END_ALWAYS},
    [DS_FAULT_CHURN] =
        {.more = swarm_churn, .nodes = true, .ends = END_MAYBE, .once = true, .still = true},
    [DS_FAULT_EXIT] = {.more = swarm_exit, .once = true, .still = true},
    [DS_FAULT_JOIN] = {.nodes = true, .once = true, .still = true},
    [DS_FAULT_BYZANTINE] = {.more = swarm_byzantine, .ends = END_MAYBE},
    [DS_FAULT_GRIEF] = {.more = swarm_grief, .ends = END_MAYBE, .still = true},
};

static void swarm_fault(struct ds_swarm_run *r, unsigned number, uint32_t kind, struct dc_text *out)
{
    const struct swarm_kind *k = &swarm_kinds[kind];
    dc_text_printf(out, "  - {id: f%u, kind: %s", number, ds_choices_fault[kind].name);
    swarm_time(out, "at", ds_swarm_between(r, 0, r->heal_at_ns - MS));
    if (k->ends == END_ALWAYS || (k->ends == END_MAYBE && ds_swarm_chance(r, 85)))
        swarm_time(out, "for", ds_swarm_log(r, 100 * MS, r->heal_at_ns / 2 + 100 * MS));
    if (k->nodes)
        swarm_selector(r, out, "nodes", swarm_anybody);
    if (k->sides)
        swarm_sides(r, out);
    if (k->more != NULL)
        k->more(r, out);
    if (!k->once)
        swarm_again(r, out);
    if (!k->still && ds_swarm_chance(r, 25))
        swarm_time(out, "reselect", ds_swarm_log(r, 200 * MS, 8 * DS_SWARM_SECOND));
    dc_text_add(out, "}\n");
}

void ds_swarm_faults(struct ds_swarm_run *r, struct dc_text *out)
{
    unsigned count = 1 + (unsigned)ds_swarm_below(r, ds_swarm_chance(r, 50) ? 6 : FAULTS_MAX);
    uint32_t kinds[DS_FAULT_SWARM_KINDS + BYZANTINE_MORE], have = 0;
    for (uint32_t k = 0; k < DS_FAULT_SWARM_KINDS; k++) {
        bool someone = k == DS_FAULT_BYZANTINE ? r->corrupt > 0
                       : k == DS_FAULT_EXIT    ? r->leavers + r->services > 0
                       : k == DS_FAULT_GRIEF   ? r->services > 0
                                               : true;
        if ((r->kinds >> k & 1) == 0 || !someone)
            continue;
        for (uint32_t n = k == DS_FAULT_BYZANTINE ? BYZANTINE_MORE : 0; n > 0; n--)
            kinds[have++] = k;
        kinds[have++] = k;
    }
    for (unsigned i = 0; i < count && have > 0; i++)
        swarm_fault(r, i + 1, kinds[ds_swarm_below(r, have)], out);
}
