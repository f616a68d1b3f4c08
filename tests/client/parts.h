/* Parts in private applications as nodes of a town live them: what each is told once, and what comes
 * of it. */
#ifndef TESTS_CLIENT_PARTS_H
#define TESTS_CLIENT_PARTS_H

#include "models/client/app.h"
#include "tests/node/town.h"

#define SECOND INT64_C(1000000000)
#define FEE 1000u
#define NONE UINT64_MAX
enum { VALIDATORS = 4, SERVICE = 4, A = 5, CLIENTS = 5 };

static struct town *t;
static uint64_t result[DC_APP_KINDS][TOWN_NODES];
static uint32_t ended[DC_APP_KINDS][TOWN_NODES];

static inline void stepped(struct town *town, uint32_t node, const struct dc_input *in)
{
    (void)in;
    for (uint32_t i = 0; i < town->out.count; i++) {
        const struct dc_effect *e = &town->out.list[i];
        if (e->kind == DC_EFFECT_NOTE && e->timer == DC_NOTE_APP) {
            result[e->a >> 32][node] = e->b;
            ended[e->a >> 32][node]++;
        }
    }
}

static inline void privacy(struct dc_params *p)
{
    p->fee_private = FEE;
    p->holders = 3;
    p->threshold = 2;
}

static inline void begin(void)
{
    struct town_spec spec = {.validators = VALIDATORS,
                             .services = 1,
                             .clients = CLIENTS,
                             .suite = DC_SUITE_MODELLED,
                             .edit = privacy};
    for (uint32_t k = 0; k < DC_APP_KINDS; k++)
        for (uint32_t n = 0; n < TOWN_NODES; n++)
            result[k][n] = NONE;
    memset(ended, 0, sizeof ended);
    t = town_make(&spec);
    t->stepped = stepped;
}

static inline void end(void)
{
    CU_ASSERT_TRUE(dc_state_conserved(town_state(t, 0)));
    CU_ASSERT_EQUAL(t->conflicts, 0);
    for (uint32_t k = 0; k < DC_APP_KINDS; k++)
        for (uint32_t n = 0; n < TOWN_NODES; n++)
            CU_ASSERT(ended[k][n] <= 1);
    town_free(t);
}

/* What the events point at until they happen. */
static struct dc_app_call call[CLIENTS];
static uint32_t everybody[CLIENTS - 1];

static inline void tell(struct dc_app_call shape, const uint64_t value[CLIENTS])
{
    for (uint32_t i = 0; i < CLIENTS - 1; i++)
        everybody[i] = A + 1 + i;
    for (uint32_t i = 0; i < CLIENTS; i++) {
        call[i] = shape;
        call[i].number = 3;
        call[i].owner = A;
        call[i].tag = UINT64_C(0x0123456789abcdef);
        call[i].role = i == 0 ? DC_APP_OWNER : DC_APP_PARTICIPANT;
        call[i].value = value[i];
        call[i].count = CLIENTS - 1;
        call[i].participant = everybody;
        town_call(t, A + i, 3 * SECOND + i, (struct dc_call){.kind = DC_CALL_APP, .app = &call[i]});
    }
}

static inline uint64_t balance(uint32_t node)
{
    return dc_state_account(town_state(t, 0), node)->balance;
}

#endif
