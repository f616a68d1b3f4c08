/* Byzantine behaviours: beginning, ending, and one step through all that are in force.
 *
 *   own timer? -> act                                   else censored? -> nothing more
 *   else the node beneath (TWINS, COLLUDE: one of its instances)
 *   -> edits in the order of byzantine_order[] -> timers that are due to be set
 *
 * What a part needs besides its configuration it makes when it needs it, and clears when it ends.
 * */
#include "models/adversary/byzantine_impl.h"

#include "models/base/mem.h"

static const struct dc_byzantine_class *const byzantine_class[DC_BEHAVIOURS] = {
    [DC_BEHAVIOUR_EQUIVOCATE] = &dc_byzantine_equivocate,
    [DC_BEHAVIOUR_TWINS] = &dc_byzantine_twins,
    [DC_BEHAVIOUR_WITHHOLD_VOTES] = &dc_byzantine_withhold_votes,
    [DC_BEHAVIOUR_WITHHOLD_BLOCKS] = &dc_byzantine_withhold_blocks,
    [DC_BEHAVIOUR_WITHHOLD_VRF] = &dc_byzantine_withhold_vrf,
    [DC_BEHAVIOUR_SELECTIVE] = &dc_byzantine_selective,
    [DC_BEHAVIOUR_DELAY] = &dc_byzantine_delay,
    [DC_BEHAVIOUR_INVALID_BLOCK] = &dc_byzantine_invalid_block,
    [DC_BEHAVIOUR_INVALID_SIGNATURE] = &dc_byzantine_invalid_signature,
    [DC_BEHAVIOUR_INVALID_CERTIFICATE] = &dc_byzantine_invalid_certificate,
    [DC_BEHAVIOUR_REPLAY] = &dc_byzantine_replay,
    [DC_BEHAVIOUR_CENSOR] = &dc_byzantine_censor,
    [DC_BEHAVIOUR_SPAM] = &dc_byzantine_spam,
    [DC_BEHAVIOUR_DOUBLE_VERDICT] = &dc_byzantine_double_verdict,
    [DC_BEHAVIOUR_COLLUDE] = &dc_byzantine_collude,
};

/* The order in which edits see the effects (byzantine.h). */
static const enum dc_behaviour byzantine_order[DC_BEHAVIOURS] = {
    DC_BEHAVIOUR_TWINS,           DC_BEHAVIOUR_COLLUDE,
    DC_BEHAVIOUR_EQUIVOCATE,      DC_BEHAVIOUR_WITHHOLD_VRF,
    DC_BEHAVIOUR_INVALID_BLOCK,   DC_BEHAVIOUR_INVALID_CERTIFICATE,
    DC_BEHAVIOUR_DOUBLE_VERDICT,  DC_BEHAVIOUR_INVALID_SIGNATURE,
    DC_BEHAVIOUR_CENSOR,          DC_BEHAVIOUR_WITHHOLD_VOTES,
    DC_BEHAVIOUR_WITHHOLD_BLOCKS, DC_BEHAVIOUR_SELECTIVE,
    DC_BEHAVIOUR_REPLAY,          DC_BEHAVIOUR_SPAM,
    DC_BEHAVIOUR_DELAY,
};

const char *dc_behaviour_name(enum dc_behaviour behaviour)
{
    return behaviour < DC_BEHAVIOURS ? byzantine_class[behaviour]->name : "?";
}

bool dc_behaviour_validators_only(enum dc_behaviour behaviour)
{
    return byzantine_class[behaviour]->validators_only;
}

static struct dc_byzantine *byzantine_of(const struct dc_node *node)
{
    return (struct dc_byzantine *)(void *)node->byzantine;
}

static struct dc_byzantine_part *byzantine_part(const struct dc_node *node,
                                                enum dc_behaviour behaviour)
{
    struct dc_byzantine *b = byzantine_of(node);
    struct dc_byzantine_part *p = b != NULL ? b->part[behaviour] : NULL;
    return p != NULL && p->on ? p : NULL;
}

/* --- beginning and ending -------------------------------------------------------------------- */

static void byzantine_clear(struct dc_byzantine_part *p)
{
    if (byzantine_class[p->behaviour]->clear != NULL)
        byzantine_class[p->behaviour]->clear(p);
    dc_mem_free(p->state);
    p->state = NULL;
    dc_mem_free(p->victims);
    p->victims = p->clique = NULL;
    p->on = p->timer_set = false;
    p->generation++;
}

static void byzantine_free(struct dc_node_extra *extra)
{
    struct dc_byzantine *b = (struct dc_byzantine *)(void *)extra;
    for (uint32_t i = 0; i < DC_BEHAVIOURS; i++) {
        if (b->part[i] == NULL)
            continue;
        byzantine_clear(b->part[i]);
        dc_mem_free(b->part[i]);
    }
    dc_mem_free(b);
}

static enum dc_status byzantine_check(const struct dc_node *node,
                                      const struct dc_byzantine_config *c, struct dc_error *error)
{
    DC_CHECK(c->behaviour < DC_BEHAVIOURS && node->id < c->nodes);
    const char *name = dc_behaviour_name(c->behaviour);
    if (dc_behaviour_validators_only(c->behaviour) && node->validator == NULL)
        return dc_error_set(
            error, DC_ERR_USAGE,
            "behaviour %s is for validators, and node %u is none: select validators", name,
            node->id);
    if (c->share > DC_ONE)
        return dc_error_set(error, DC_ERR_USAGE, "behaviour %s: a share above 1", name);
    bool timed = c->behaviour == DC_BEHAVIOUR_DELAY || c->behaviour == DC_BEHAVIOUR_REPLAY;
    if (timed && c->delay_ns < 1)
        return dc_error_set(error, DC_ERR_USAGE, "behaviour %s needs a delay above 0", name);
    if (c->behaviour == DC_BEHAVIOUR_SPAM && (c->rate_per_s < 1 || c->rate_per_s > 16000))
        return dc_error_set(error, DC_ERR_USAGE, "behaviour %s needs a rate of 1 to 16000 per s",
                            name);
    bool twins = c->behaviour == DC_BEHAVIOUR_TWINS,
         colludes = c->behaviour == DC_BEHAVIOUR_COLLUDE;
    if ((twins && byzantine_part(node, DC_BEHAVIOUR_COLLUDE) != NULL) ||
        (colludes && byzantine_part(node, DC_BEHAVIOUR_TWINS) != NULL))
        return dc_error_set(error, DC_ERR_USAGE,
                            "node %u: twins and collude at once; collude makes twins itself",
                            node->id);
    return DC_OK;
}

static bool byzantine_sets(struct dc_byzantine_part *p, const struct dc_byzantine_config *c)
{
    p->nodes = c->nodes;
    p->words = (c->nodes + 63) / 64;
    p->victims = dc_mem_alloc(2 * (size_t)p->words, sizeof *p->victims);
    if (p->victims == NULL)
        return false;
    p->clique = p->victims + p->words;
    for (uint32_t i = 0; i < p->words; i++) {
        p->victims[i] = c->victims != NULL ? c->victims[i] : UINT64_C(0xaaaaaaaaaaaaaaaa);
        p->clique[i] = c->clique != NULL ? c->clique[i] : 0;
    }
    return true;
}

enum dc_status dc_byzantine_begin(struct dc_node *node, const struct dc_byzantine_config *c,
                                  struct dc_error *error)
{
    enum dc_status status = byzantine_check(node, c, error);
    if (status != DC_OK)
        return status;
    if (node->byzantine == NULL) {
        struct dc_byzantine *b = dc_mem_alloc(1, sizeof *b);
        if (b == NULL)
            return dc_error_set(error, DC_ERR_IO, "out of memory for behaviours of node %u",
                                node->id);
        b->extra.free = byzantine_free;
        node->byzantine = &b->extra;
    }
    struct dc_byzantine_part **at = &byzantine_of(node)->part[c->behaviour];
    if (*at == NULL && (*at = dc_mem_alloc(1, sizeof **at)) == NULL)
        return dc_error_set(error, DC_ERR_IO, "out of memory for behaviours of node %u", node->id);
    struct dc_byzantine_part *p = *at;
    p->behaviour = c->behaviour;
    byzantine_clear(p);
    if (!byzantine_sets(p, c))
        return dc_error_set(error, DC_ERR_IO, "out of memory for behaviours of node %u", node->id);
    p->delay_ns = c->delay_ns;
    p->rate_per_s = c->rate_per_s;
    p->share = c->share;
    p->seed = c->seed;
    p->turn = p->epoch = p->round = 0;
    uint64_t name = dc_name(dc_behaviour_name(c->behaviour));
    p->stream = dc_stream(c->seed, name, dc_name("in order"));
    p->keyed = dc_stream(c->seed, name, dc_name("by message"));
    p->on = true;
    if (byzantine_class[c->behaviour]->begin != NULL)
        status = byzantine_class[c->behaviour]->begin(node, p, c, error);
    if (status != DC_OK)
        byzantine_clear(p);
    return status;
}

void dc_byzantine_end(struct dc_node *node, enum dc_behaviour behaviour)
{
    struct dc_byzantine_part *p = byzantine_part(node, behaviour);
    if (p == NULL)
        return;
    p->on = false;
    if (behaviour != DC_BEHAVIOUR_DELAY) /* whose letters leave with the next step */
        byzantine_clear(p);
}

bool dc_byzantine_active(const struct dc_node *node)
{
    for (uint32_t i = 0; node->byzantine != NULL && i < DC_BEHAVIOURS; i++)
        if (byzantine_part(node, (enum dc_behaviour)i) != NULL)
            return true;
    return false;
}

void dc_byzantine_move(struct dc_node *from, struct dc_node *to)
{
    DC_CHECK(from != to && to->byzantine == NULL);
    to->byzantine = from->byzantine;
    from->byzantine = NULL;
    struct dc_byzantine *b = byzantine_of(to);
    for (uint32_t i = 0; b != NULL && i < DC_BEHAVIOURS; i++) {
        if (b->part[i] == NULL)
            continue;
        b->part[i]->timer_set = false;
        b->part[i]->generation++;
    }
}

const struct dc_node *dc_byzantine_twin(const struct dc_node *node)
{
    struct dc_byzantine_part *p = byzantine_part(node, DC_BEHAVIOUR_TWINS);
    p = p != NULL ? p : byzantine_part(node, DC_BEHAVIOUR_COLLUDE);
    return p != NULL ? dc_byzantine_twin_of(p) : NULL;
}

/* --- the step -------------------------------------------------------------------------------- */

/* value = top byte | behaviour 8 | generation 32 */
static uint64_t byzantine_timer(const struct dc_byzantine_part *p)
{
    return (uint64_t)DC_TIMER_BYZANTINE << 56 | (uint64_t)p->behaviour << 32 | p->generation;
}

static void byzantine_act(struct dc_node *node, const struct dc_input *in, struct dc_effects *out)
{
    uint32_t behaviour = (uint32_t)(in->timer >> 32) & 0xff;
    struct dc_byzantine_part *p =
        behaviour < DC_BEHAVIOURS ? byzantine_part(node, (enum dc_behaviour)behaviour) : NULL;
    if (p == NULL || in->timer != byzantine_timer(p))
        return; /* of a behaviour that has ended since */
    p->timer_set = false;
    byzantine_class[behaviour]->act(node, p, in, out);
}

static void byzantine_set_timers(struct dc_byzantine *b, const struct dc_input *in,
                                 struct dc_effects *out)
{
    for (uint32_t i = 0; i < DC_BEHAVIOURS; i++) {
        struct dc_byzantine_part *p = b->part[i];
        if (p == NULL || !p->on || p->timer_set || byzantine_class[i]->due_ns == NULL)
            continue;
        int64_t due_ns = byzantine_class[i]->due_ns(p, in->now_ns);
        if (due_ns == 0 || out->count == DC_EFFECTS_MAX)
            continue;
        p->timer_set = true;
        dc_effect_timer(out, due_ns > in->now_ns ? due_ns : in->now_ns + 1, byzantine_timer(p));
    }
}

static void byzantine_beneath(struct dc_node *node, const struct dc_input *in,
                              struct dc_effects *out)
{
    struct dc_byzantine_part *p = byzantine_part(node, DC_BEHAVIOUR_CENSOR);
    if (p != NULL && in->kind == DC_INPUT_MESSAGE && dc_byzantine_censors(node, p, in, out))
        return;
    p = byzantine_part(node, DC_BEHAVIOUR_REPLAY);
    if (p != NULL && in->kind == DC_INPUT_MESSAGE)
        dc_byzantine_hear(p, in);
    p = byzantine_part(node, DC_BEHAVIOUR_TWINS);
    p = p != NULL ? p : byzantine_part(node, DC_BEHAVIOUR_COLLUDE);
    if (p != NULL)
        dc_byzantine_twin_step(node, p, in, out);
    else if (in->kind != DC_INPUT_TIMER || (in->timer & DC_TIMER_TWIN) == 0)
        dc_strategy_step(node, in, out); /* no timer of a second instance that is gone */
}

void dc_byzantine_step(struct dc_node *node, const struct dc_input *in, struct dc_effects *out)
{
    struct dc_byzantine *b = byzantine_of(node);
    if (in->kind == DC_INPUT_RESTART || in->kind == DC_INPUT_START)
        for (uint32_t i = 0; i < DC_BEHAVIOURS; i++)
            if (b->part[i] != NULL)
                b->part[i]->timer_set = false; /* timers did not outlive the crash */
    if (in->kind == DC_INPUT_TIMER && in->timer >> 56 == DC_TIMER_BYZANTINE)
        byzantine_act(node, in, out);
    else
        byzantine_beneath(node, in, out);
    for (uint32_t i = 0; i < DC_BEHAVIOURS; i++) {
        struct dc_byzantine_part *p = byzantine_part(node, byzantine_order[i]);
        if (p != NULL && byzantine_class[p->behaviour]->edit != NULL)
            byzantine_class[p->behaviour]->edit(node, p, in, out);
    }
    struct dc_byzantine_part *delay = b->part[DC_BEHAVIOUR_DELAY];
    if (delay != NULL && !delay->on && delay->state != NULL && dc_byzantine_flush(delay, out))
        byzantine_clear(delay);
    byzantine_set_timers(b, in, out);
}
