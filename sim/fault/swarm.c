/* Sizes, knobs, who may be corrupted, and the quorum; the faults are drawn in swarm_fault.c.
 *
 * Costs are bounded by what is drawn: short chains of few nodes.  A block takes at least
 * BLOCK_NS_MIN, and the time before the heal is at most BLOCKS_MAX of them. */
#include "sim/fault/swarm_draw.h"

#include "models/base/mem.h"

#include <math.h>
#include <string.h>

#define BLOCK_NS_MIN (DS_SWARM_SECOND / 4)
#define BLOCKS_MAX 120
#define WITHIN_PERIODS 48
#define WITHIN_CLOCKS_NS (64 * DS_SWARM_SECOND)
#define VALIDATORS_MIN 4
#define VALIDATORS_MAX 16

uint64_t ds_swarm_below(struct ds_swarm_run *r, uint64_t n)
{
    return dc_next_below(&r->stream, n);
}

int64_t ds_swarm_between(struct ds_swarm_run *r, int64_t low, int64_t high)
{
    return low + (int64_t)ds_swarm_below(r, (uint64_t)(high - low) + 1);
}

/* An octave of [low, high], then a place in it: whole numbers, so the same everywhere. */
int64_t ds_swarm_log(struct ds_swarm_run *r, int64_t low, int64_t high)
{
    unsigned octaves = 0;
    while (low <= high >> (octaves + 1))
        octaves++;
    int64_t from = low << ds_swarm_below(r, octaves + 1), to = 2 * from < high ? 2 * from : high;
    int64_t value = ds_swarm_between(r, from, to), step = 1;
    while (value / step >= 100) /* two digits are plenty, and can be read */
        step *= 10;
    value -= value % step;
    return value < low ? low : value;
}

bool ds_swarm_chance(struct ds_swarm_run *r, unsigned percent)
{
    return ds_swarm_below(r, 100) < percent;
}

void ds_swarm_validator(const struct ds_swarm_run *r, uint32_t v, struct dc_text *out)
{
    for (size_t i = 0; i < r->scenario.groups_count; i++) {
        const struct ds_group *g = &r->scenario.groups[i];
        if (g->role != DS_ROLE_VALIDATOR)
            continue;
        if (v < g->count) {
            dc_text_printf(out, "%s[%u]", g->name, v);
            return;
        }
        v -= g->count;
    }
    DC_CHECK(!"there are not so many validators");
}

/* --- sizes ---------------------------------------------------------------------------------- */

/* Rings and machines take a number of nodes; traces take customers. */
static bool swarm_group_fixed(const struct ds_group *g)
{
    for (size_t i = 0; i < g->mix_count; i++)
        if (g->mix[i].number > 1)
            return true;
    for (size_t i = 0; i < g->rational.options_count; i++)
        if (g->rational.options[i].number > 1)
            return true;
    return g->trace != NULL;
}

/* The first group of each role is drawn, the others stay as they are. */
static void swarm_sizes(struct ds_swarm_run *r)
{
    struct ds_scenario *s = &r->scenario;
    bool drawn[3] = {false}, traced = false;
    uint32_t total = (uint32_t)ds_swarm_between(
        r, VALIDATORS_MIN, ds_swarm_chance(r, 60) ? VALIDATORS_MIN + 3 : VALIDATORS_MAX);
    uint32_t services = (uint32_t)ds_swarm_below(r, 5), clients = (uint32_t)ds_swarm_below(r, 4);
    for (size_t i = 0; i < s->groups_count; i++)
        traced |= s->groups[i].trace != NULL;
    uint64_t others = s->validators_count;
    for (size_t i = 0; i < s->groups_count; i++) {
        struct ds_group *g = &s->groups[i];
        if (drawn[g->role] || swarm_group_fixed(g) || (g->role == DS_ROLE_CLIENT && traced))
            continue;
        drawn[g->role] = true;
        if (g->role == DS_ROLE_VALIDATOR) {
            others -= g->count;
            g->count = total > others ? total - (uint32_t)others : 1;
        } else {
            g->count = g->role == DS_ROLE_SERVICE ? services : clients;
        }
    }
    uint32_t have[3] = {0};
    for (size_t i = 0; i < s->groups_count; i++)
        have[s->groups[i].role] += s->groups[i].count;
    r->validators = have[DS_ROLE_VALIDATOR];
    r->services = have[DS_ROLE_SERVICE];
    r->clients = have[DS_ROLE_CLIENT];
}

/* --- knobs ---------------------------------------------------------------------------------- */

/* In 128ths: exact, and short as decimals. */
static dc_q31 swarm_share(struct ds_swarm_run *r, int64_t low, int64_t high)
{
    return (dc_q31)((uint64_t)ds_swarm_between(r, low, high) << 24);
}

/* Every knob is drawn, then kept or not: whether one is used moves no other. */
static void swarm_network(struct ds_swarm_run *r)
{
    static const char *const jitters[] = {"none", "lognormal(0.016)", "lognormal(0.5)",
                                          "uniform(0.5, 3)"};
    struct ds_network *net = &r->scenario.network;
    int64_t latency_ns = ds_swarm_log(r, DS_SWARM_SECOND / 1000, DS_SWARM_SECOND / 4);
    if (ds_swarm_chance(r, 70) && net->topology == DS_TOPOLOGY_UNIFORM)
        net->latency_ns = latency_ns;
    int64_t host_ns = ds_swarm_log(r, DS_SWARM_SECOND / 2000, DS_SWARM_SECOND / 200);
    if (ds_swarm_chance(r, 30))
        net->host_delay_ns = host_ns;
    const char *jitter = jitters[ds_swarm_below(r, 4)];
    if (ds_swarm_chance(r, 50))
        net->jitter.text = jitter;
    dc_q31 loss = swarm_share(r, 1, 6);
    if (ds_swarm_chance(r, 25))
        net->loss = loss;
    uint64_t bandwidth = (uint64_t)ds_swarm_log(r, 1000000, 1000000000);
    if (ds_swarm_chance(r, 30))
        net->bandwidth_up = net->bandwidth_down = bandwidth;
    uint32_t degree = 2 * (uint32_t)ds_swarm_between(r, 1, 5); /* even: there is such a graph */
    if (ds_swarm_chance(r, 30))
        net->overlay.degree = degree;
}

static void swarm_protocol(struct ds_swarm_run *r)
{
    static const int64_t intervals_ms[] = {0, 250, 500, 1000};
    struct dc_params *p = &r->scenario.protocol;
    uint32_t epoch = (uint32_t)ds_swarm_between(r, 3, 24);
    if (ds_swarm_chance(r, 80))
        p->epoch_blocks = epoch;
    int64_t interval_ns = intervals_ms[ds_swarm_below(r, 4)] * (DS_SWARM_SECOND / 1000);
    if (ds_swarm_chance(r, 70))
        p->block_interval_ns = interval_ns;
    dc_q31 theta = swarm_share(r, 0, 128), audit = swarm_share(r, 0, 128);
    if (ds_swarm_chance(r, 50))
        p->theta = theta;
    if (ds_swarm_chance(r, 50))
        p->audit = audit;
    uint32_t verifiers = (uint32_t)ds_swarm_between(r, 1, 5);
    if (ds_swarm_chance(r, 40))
        p->verifiers = verifiers;
    bool direct = ds_swarm_chance(r, 50);
    if (ds_swarm_chance(r, 50))
        p->dissemination = direct ? DC_DISSEMINATION_DIRECT : DC_DISSEMINATION_GOSSIP;
    uint32_t answer = (uint32_t)ds_swarm_between(r, 6, 40);
    if (ds_swarm_chance(r, 40)) {
        p->answer_heights = answer;
        p->abandon_heights = 2 * answer;
    }
    p->seats = 0; /* seats are a lottery: the reckoning of who may be corrupted would not hold */
}

/* Time until the heal: few blocks, none of them shorter than BLOCK_NS_MIN, which also bounds what
 * follows. */
static void swarm_times(struct ds_swarm_run *r)
{
    struct ds_scenario *s = &r->scenario;
    int64_t block_ns = s->protocol.block_interval_ns;
    if (s->network.topology == DS_TOPOLOGY_UNIFORM && block_ns < 2 * s->network.latency_ns)
        block_ns = 2 * s->network.latency_ns;
    if (block_ns < BLOCK_NS_MIN) {
        s->protocol.block_interval_ns = BLOCK_NS_MIN;
        block_ns = BLOCK_NS_MIN;
    }
    int64_t at_ns = block_ns * ds_swarm_between(r, BLOCKS_MAX / 4, BLOCKS_MAX);
    r->heal_at_ns = at_ns - at_ns % (DS_SWARM_SECOND / 10);
    s->heal = (struct ds_heal){0};
    s->duration_epochs = 0;
}

/* --- who ------------------------------------------------------------------------------------ */

/* The least and the most power that a validator of the group can have, in some unit; 0 and 1 when
 * bonds are drawn and nothing can be said. */
static void swarm_power(const struct ds_swarm_run *r, const struct ds_group *g, double *least,
                        double *most)
{
    double g_min = ldexp(r->scenario.protocol.g_min, -31);
    *least = *most = 1;
    if (g->bond.kind == DS_DIST_CONSTANT)
        *least = *most = g->bond.args[0];
    else if (g->bond.kind != DS_DIST_AUTO)
        *least = 0;
    *least *= g_min;
}

/* Sums over the validators of which set[v] == is. */
static void swarm_sum(const struct ds_swarm_run *r, const uint8_t *set, uint8_t is, double *least,
                      double *most)
{
    uint32_t v = 0;
    *least = *most = 0;
    for (size_t i = 0; i < r->scenario.groups_count; i++) {
        const struct ds_group *g = &r->scenario.groups[i];
        double low, high;
        swarm_power(r, g, &low, &high);
        for (uint32_t k = 0; g->role == DS_ROLE_VALIDATOR && k < g->count; k++, v++) {
            *least += set[v] == is ? low : 0;
            *most += set[v] == is ? high : 0;
        }
    }
}

/* Less than a third of what stays is corrupted, whatever scores do. */
static bool swarm_corrupt_fits(const struct ds_swarm_run *r)
{
    double corrupt, honest, unused;
    swarm_sum(r, r->part, DS_SWARM_CORRUPT, &unused, &corrupt);
    swarm_sum(r, r->part, DS_SWARM_HONEST, &honest, &unused);
    return 2 * corrupt < honest * (1 - 1e-6);
}

static bool swarm_quorum_fits(const struct ds_swarm_run *r)
{
    double in, out, unused;
    swarm_sum(r, r->quorum, 1, &in, &unused);
    swarm_sum(r, r->quorum, 0, &unused, &out);
    return in * (1 - 1e-6) > 2 * out;
}

static void swarm_shuffle(struct ds_swarm_run *r, uint32_t *order, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        order[i] = i;
    for (uint32_t i = n; i > 1; i--) {
        uint32_t j = (uint32_t)ds_swarm_below(r, i), t = order[i - 1];
        order[i - 1] = order[j];
        order[j] = t;
    }
}

/* In a random order: corrupted ones while there is room, at most one leaver; then as many as may be
 * are left out of the quorum. */
static void swarm_who(struct ds_swarm_run *r)
{
    uint32_t n = r->validators, *order = dc_mem_need(n, sizeof *order, "a swarm");
    r->part = dc_mem_need(n, 1, "a swarm");
    r->quorum = dc_mem_need(n, 1, "a swarm");
    swarm_shuffle(r, order, n);
    uint32_t wanted = (uint32_t)ds_swarm_below(r, n / 3 + 1) + ds_swarm_chance(r, 50);
    if (ds_swarm_chance(r, 30)) {
        r->part[order[n - 1]] = DS_SWARM_LEAVER;
        r->leavers = 1;
    }
    for (uint32_t i = 0; i < n && r->corrupt < wanted; i++) {
        if (r->part[order[i]] != DS_SWARM_HONEST)
            continue;
        r->part[order[i]] = DS_SWARM_CORRUPT;
        if (swarm_corrupt_fits(r)) {
            r->corrupt++;
            continue;
        }
        r->part[order[i]] = DS_SWARM_HONEST;
    }
    for (uint32_t v = 0; v < n; v++)
        r->quorum[v] = r->part[v] == DS_SWARM_HONEST;
    if (!swarm_quorum_fits(r)) { /* a leaver is one too many */
        for (uint32_t v = 0; v < n; v++)
            if (r->part[v] == DS_SWARM_LEAVER)
                r->part[v] = DS_SWARM_HONEST;
        r->leavers = 0;
        for (uint32_t v = 0; v < n; v++)
            r->quorum[v] = r->part[v] == DS_SWARM_HONEST;
    }
    uint32_t less = (uint32_t)ds_swarm_below(r, n);
    for (uint32_t i = 0; i < n && less > 0; i++) {
        uint32_t v = order[n - 1 - i];
        if (r->quorum[v] == 0)
            continue;
        r->quorum[v] = 0;
        less--;
        if (!swarm_quorum_fits(r)) {
            r->quorum[v] = 1;
            break;
        }
    }
    dc_mem_free(order);
}

/* How long a healed quorum may take: WITHIN_PERIODS of the round timer's longest.
 *
 * A block is final when two leaders in a row are there (models/README.md 4.3).  Leaders are drawn by
 * power, of which up to a third is stopped, and a round whose leader or collector is not there costs a
 * period.  If a share d of rounds fails, no two in a row go well among n with a probability that
 * falls like l^n, l^2 = d l + d (1 - d).  With d = 0.4, for the stopped third and a lost message here
 * and there, l is 0.73: 48 periods are missed in three of ten million runs.  Blocks that clocks ahead
 * have dated into the future are waited for besides (4.8). */
static int64_t swarm_within(const struct ds_swarm_run *r)
{
    struct ds_scenario s = r->scenario;
    const int64_t other_ns = 3 * DS_SWARM_SECOND / 10; /* half around the earth */
    int64_t latency_ns =
        s.network.topology == DS_TOPOLOGY_UNIFORM ? s.network.latency_ns : other_ns;
    s.validators_count = r->validators;
    ds_scenario_delays(&s, r->validators + r->services + r->clients, latency_ns, latency_ns,
                       &s.protocol);
    int64_t within_ns = WITHIN_PERIODS * dc_params_period_ns(&s.protocol, UINT16_MAX);
    if ((r->kinds >> DS_FAULT_CLOCK & 1) != 0)
        within_ns += WITHIN_CLOCKS_NS;
    return (within_ns / DS_SWARM_SECOND + 1) * DS_SWARM_SECOND;
}

static void swarm_promise(struct ds_swarm_run *r)
{
    r->within_ns = swarm_within(r);
    r->scenario.duration_ns = r->heal_at_ns + r->within_ns + DS_SWARM_SECOND;
    r->scenario.max_time_ns = 0;
}

/* --- the text ------------------------------------------------------------------------------- */

static void swarm_heal(struct ds_swarm_run *r, struct dc_text *out)
{
    dc_text_printf(out, "heal: {at: %lld ms, within: %lld s, quorum: '",
                   (long long)(r->heal_at_ns / 1000000),
                   (long long)(r->within_ns / DS_SWARM_SECOND));
    const char *comma = "";
    for (uint32_t v = 0; v < r->validators; v++) {
        if (r->quorum[v] == 0)
            continue;
        dc_text_add(out, comma);
        ds_swarm_validator(r, v, out);
        comma = ", ";
    }
    dc_text_add(out, r->followers && r->services > 0 ? ", services" : "");
    dc_text_add(out, r->followers && r->clients > 0 ? ", clients" : "");
    dc_text_add(out, "'}\n");
}

static struct dc_stream swarm_stream(const struct ds_swarm *swarm, uint64_t run)
{
    return dc_stream(swarm->seed, dc_name_indexed("swarm", run), dc_name("draw"));
}

/* Each kind is in with one half; one is always. */
static void swarm_kinds(struct ds_swarm_run *r, uint32_t ready)
{
    uint32_t some = (uint32_t)dc_next64(&r->stream), one = (uint32_t)ds_swarm_below(r, 64);
    r->kinds = ready & some;
    for (uint32_t k = 0; r->kinds == 0 && ready != 0; k++)
        r->kinds = ready & (uint32_t)1 << (k + one) % DS_FAULT_SWARM_KINDS;
}

uint64_t ds_swarm_seed(const struct ds_swarm *swarm, uint64_t run)
{
    struct dc_stream stream =
        dc_stream(swarm->seed, dc_name_indexed("swarm", run), dc_name("seed"));
    return dc_next64(&stream) >> 32;
}

void ds_swarm_print(const struct ds_swarm *swarm, uint64_t run, struct dc_text *out)
{
    const struct ds_scenario *base = swarm->base;
    struct ds_swarm_run r = {.stream = swarm_stream(swarm, run), .scenario = *base};
    struct ds_scenario *s = &r.scenario;
    s->groups = dc_mem_need(base->groups_count, sizeof *s->groups, "a swarm");
    memcpy(s->groups, base->groups, base->groups_count * sizeof *s->groups);
    s->title = "";
    swarm_sizes(&r);
    swarm_network(&r);
    swarm_protocol(&r);
    swarm_times(&r);
    s->seed = ds_swarm_seed(swarm, run);
    swarm_who(&r);
    swarm_kinds(&r, swarm->kinds != 0 ? swarm->kinds : (uint32_t)(1u << DS_FAULT_SWARM_KINDS) - 1);
    r.collude = ds_swarm_chance(&r, 30);
    r.followers = ds_swarm_chance(&r, 50);
    swarm_promise(&r);
    s->faults_count = 0;
    s->sometimes_count = 0;
    ds_scenario_print_brief(s, out);
    swarm_heal(&r, out);
    struct dc_text faults = {0};
    for (size_t i = 0; i < base->faults_count; i++)
        ds_scenario_print_item(&base->faults[i], &faults);
    ds_swarm_faults(&r, &faults);
    dc_text_printf(out, "faults:%s%s", faults.size > 0 ? "\n" : " []\n",
                   faults.data != NULL ? faults.data : "");
    out->failed |= faults.failed;
    dc_text_free(&faults);
    dc_mem_free(s->groups);
    dc_mem_free(r.part);
    dc_mem_free(r.quorum);
}
