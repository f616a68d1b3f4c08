/* Inference between nodes: answers that are the plain ones, questions and answers lost, a node that
 * is gone, nonsense. */
#include "models/base/rng.h"
#include "models/privacy/inference.h"
#include "tests/client/apps.h"

#define SECOND INT64_C(1000000000)
enum { NODE = 4, FIRST = 8, PEOPLE = 4, QUESTIONS = 5, FEATURES = 30 };

static struct apps_net net;
static const uint32_t people[PEOPLE + 1] = {FIRST, FIRST + 1, NODE, FIRST + 2, FIRST + 3};

static void start(uint32_t features)
{
    struct dc_app_call call = {.kind = DC_APP_INFERENCE,
                               .role = DC_APP_NODE,
                               .number = 9,
                               .node = NODE,
                               .end = 1000,
                               .count = PEOPLE + 1,
                               .participant = people,
                               .rounds = QUESTIONS,
                               .features = features,
                               .seed = 500};
    apps_set_up(&net);
    apps_call(&net, NODE, &call);
    call.role = DC_APP_PARTICIPANT;
    for (uint32_t k = 0; k < PEOPLE; k++) {
        call.seed = 600 + k;
        apps_call(&net, FIRST + k, &call);
    }
}

static void check_answers(void)
{
    for (uint32_t k = 0; k < PEOPLE; k++) {
        CU_ASSERT(net.noted[FIRST + k]);
        CU_ASSERT_EQUAL(net.result[FIRST + k],
                        dc_inference_expect(500, 600 + k, FEATURES, QUESTIONS));
    }
}

static void test_answers(void)
{
    net.filter = NULL;
    start(FEATURES);
    apps_run(&net, 20 * SECOND);
    check_answers();
    CU_ASSERT(net.noted[NODE]);
    CU_ASSERT_EQUAL(net.result[NODE], PEOPLE * QUESTIONS);
    CU_ASSERT_EQUAL(net.charge[DC_COST_BFV_DECODE], PEOPLE * QUESTIONS);
    CU_ASSERT_EQUAL(net.charge[DC_COST_BFV_ENCRYPT], PEOPLE * (2 * QUESTIONS + 1));
    /* real bytes: a question and an answer each, and the keys */
    CU_ASSERT_EQUAL(net.bytes,
                    PEOPLE * (QUESTIONS * 2 * (DC_APP_HEAD_BYTES + 4 + DC_BFV_CIPHERTEXT_BYTES) +
                              DC_BFV_PUBLIC_BYTES));
    apps_tear_down(&net);
}

static struct dc_stream luck;
static bool lose(struct apps_net *n, uint32_t from, uint32_t to, uint8_t *bytes, uint32_t size)
{
    return dc_next_below(&luck, 4) != 0;
}

static void test_losses(void)
{
    luck = dc_stream(1, dc_name("test"), dc_name("losses"));
    net.filter = lose;
    apps_set_up(&net);
    apps_tear_down(&net);
    net.filter = NULL;
    start(FEATURES);
    net.filter = lose;
    apps_run(&net, 300 * SECOND);
    check_answers();
    apps_tear_down(&net);
}

static void test_gone(void)
{
    net.filter = NULL;
    start(FEATURES); /* the node goes: everybody gives up */
    apps_run(&net, SECOND / 10);
    apps_crash(&net, NODE);
    apps_run(&net, 100 * SECOND);
    for (uint32_t k = 0; k < PEOPLE; k++)
        CU_ASSERT(net.noted[FIRST + k] && net.result[FIRST + k] == DC_APP_REFUSED);
    apps_tear_down(&net);
    start(DC_INFERENCE_FEATURES_MAX + 1);
    for (uint32_t k = 0; k < PEOPLE; k++)
        CU_ASSERT(net.noted[FIRST + k] && net.result[FIRST + k] == DC_APP_REFUSED);
    apps_tear_down(&net);
}

/* Anything to the node, from those who may ask and those who may not. */
static void test_garbage(void)
{
    luck = dc_stream(2, dc_name("test"), dc_name("garbage"));
    net.filter = NULL;
    start(FEATURES);
    const uint32_t sizes[] = {0, 6, 7, 8, 11, 12, 110603, 110604, 110611, 165939, 165940};
    for (int i = 0; i < 66; i++) {
        uint32_t size = sizes[i % 11];
        uint8_t *bytes = malloc(size + 1);
        for (uint32_t k = 0; k < size; k++)
            bytes[k] = (uint8_t)dc_next64(&luck);
        if (size >= 7) {
            bytes[0] = DC_MSG_APP;
            bytes[1] = DC_APP_INFERENCE;
            dc_put32(bytes + 2, 9);
            bytes[6] = i % 2;
        }
        struct apps_letter l = {0, i % 3 == 0 ? 1 : FIRST + (uint32_t)i % 4, i % 4 ? NODE : FIRST,
                                size, bytes};
        apps_deliver(&net, &l);
        free(bytes);
    }
    CU_ASSERT(net.refused[NODE] >= 30);
    apps_run(&net, 60 * SECOND);
    check_answers(); /* nobody else's nonsense is in anybody's way */
    apps_tear_down(&net);
}

int main(void)
{
    static const struct test_case cases[] = {{"answers", test_answers},
                                             {"losses", test_losses},
                                             {"gone", test_gone},
                                             {"garbage", test_garbage}};
    return TEST_MAIN("app_inference", cases);
}
