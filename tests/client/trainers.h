/* Trainers and their node on the small network of apps.h: what they are told, what is counted, and
 * what they have to come to. */
#ifndef TESTS_CLIENT_TRAINERS_H
#define TESTS_CLIENT_TRAINERS_H

#include "models/base/rng.h"
#include "models/client/app_training_impl.h"
#include "tests/client/apps.h"

#define SECOND INT64_C(1000000000)
enum { NODE = 4, FIRST = 8, NUMBER = 6, TAG = 77, ROUNDS = 4 };

static struct apps_net net;
static uint32_t trainer[APPS_NODES];
static uint64_t seeds[APPS_NODES], took[ROUNDS];
static uint32_t steps[STEP_VOTE + 1]; /* messages, by step */

static inline struct dc_app_call call_of(uint32_t trainers, uint64_t threshold, uint8_t model)
{
    return (struct dc_app_call){.kind = DC_APP_TRAINING,
                                .number = NUMBER,
                                .model = model,
                                .owner = 0,
                                .tag = TAG,
                                .bound = threshold,
                                .node = NODE,
                                .count = trainers,
                                .participant = trainer,
                                .rounds = ROUNDS,
                                .features = 6,
                                .samples = 12};
}

static inline void start(uint32_t trainers, uint64_t threshold, uint8_t model)
{
    memset(took, 0, sizeof took);
    memset(steps, 0, sizeof steps);
    apps_set_up(&net);
    struct dc_app_call call = call_of(trainers, threshold, model);
    for (uint32_t k = 0; k < trainers; k++) {
        trainer[k] = FIRST + k;
        seeds[k] = 1000 + k;
    }
    call.role = DC_APP_NODE;
    apps_call(&net, NODE, &call);
    call.role = DC_APP_PARTICIPANT;
    for (uint32_t k = 0; k < trainers; k++) {
        call.seed = seeds[k];
        apps_call(&net, trainer[k], &call);
    }
}

/* Counts, and keeps what the node says of who took part. */
static inline bool watch(struct apps_net *n, uint32_t from, uint32_t to, uint8_t *bytes,
                         uint32_t size)
{
    (void)n;
    (void)to;
    CU_ASSERT_FATAL(size >= DC_APP_HEAD_BYTES && bytes[6] <= STEP_VOTE);
    steps[bytes[6]]++;
    uint32_t round = size >= 19 ? dc_get32(bytes + 7) : 0;
    if (bytes[6] == STEP_WEIGHTS && from == NODE && round >= 1 && round <= ROUNDS)
        took[round - 1] = dc_get64(bytes + 11);
    return true;
}

/* The weights that everyone who is still there must have, in plain. */
static inline uint64_t expected(uint32_t trainers, uint8_t model)
{
    struct dc_training_shape shape;
    uint64_t digest;
    CU_ASSERT_FATAL(dc_training_shape_make(model, 6, 12, &shape));
    CU_ASSERT_FATAL(dc_training_expect(&shape, TAG, seeds, trainers, ROUNDS, took, NULL, &digest));
    return digest;
}

static inline void check_everyone(uint32_t trainers, uint8_t model)
{
    uint64_t digest = expected(trainers, model);
    CU_ASSERT(net.noted[NODE]);
    CU_ASSERT_EQUAL(net.result[NODE], digest);
    for (uint32_t k = 0; k < trainers; k++)
        if (!net.down[trainer[k]]) {
            CU_ASSERT(net.noted[trainer[k]]);
            CU_ASSERT_EQUAL(net.result[trainer[k]], digest);
        }
}

static inline void inject(uint32_t from, uint32_t to, uint8_t step, const void *body, uint32_t size)
{
    uint8_t *bytes = malloc(DC_APP_HEAD_BYTES + size);
    bytes[0] = DC_MSG_APP;
    bytes[1] = DC_APP_TRAINING;
    dc_put32(bytes + 2, NUMBER);
    bytes[6] = step;
    memcpy(bytes + DC_APP_HEAD_BYTES, body, size);
    apps_deliver(&net,
                 &(struct apps_letter){net.now_ns, from, to, DC_APP_HEAD_BYTES + size, bytes});
    free(bytes);
}

#endif
