/* Applications whose nodes crash: an auction, an escrow, a rating and a usage contract come to the
 * same result whoever dies, again and again and in every phase, and make one contract each; a CALL
 * that is lost is sent again as the same bytes. */
#include "tests/client/parts.h"

#define OUTAGE_NS (3 * SECOND / 2)
#define UNIT UINT64_C(1000000)

static const struct life {
    struct dc_app_call shape;
    uint64_t value[CLIENTS];
    uint8_t contract;
    int64_t end_s;
} lives[] = {
    {{.kind = DC_APP_AUCTION, .close = 16, .end = 34},
     {0, 500 * UNIT, 900 * UNIT, 2000 * UNIT, 1999 * UNIT},
     DC_CONTRACT_AUCTION,
     60},
    {{.kind = DC_APP_ESCROW, .close = 12, .end = 40, .node = SERVICE, .bound = 3},
     {500 * DC_DSYNC, 1, 1, 0, 1},
     DC_CONTRACT_ESCROW,
     90},
    {{.kind = DC_APP_RATING, .close = 20, .end = 44, .node = SERVICE},
     {0, 5, 3, 0, 4},
     DC_CONTRACT_RATING,
     90},
    {{.kind = DC_APP_USAGE, .close = 16, .end = 40, .node = SERVICE, .bound = 100},
     {70 * DC_DSYNC, 11, 22, 33, 44},
     DC_CONTRACT_USAGE,
     80},
};

/* What a node was at when it died. */
enum { CALLING = 1, JOINING = 2, OPEN = 4, CLOSED = 8, OVER = 16 };
static uint32_t phases, crashes;

static uint32_t phase_of(uint32_t node)
{
    const struct dc_apps *apps = t->node[node]->apps;
    const struct dc_state *s = town_state(t, node);
    if (apps == NULL || !apps->at[0].live)
        return OVER; /* or not begun */
    if (dc_state_vault(s)->contracts == 0)
        return dc_app_under_way(&apps->at[0]) ? CALLING : JOINING;
    return dc_state_meta(s)->height < dc_state_contract(s, 0)->close ? OPEN : CLOSED;
}

/* It dies, and comes back from what is on its disk. */
static void crash(uint32_t node, int64_t at_ns)
{
    uint8_t *image, *again;
    town_run(t, at_ns);
    phases |= phase_of(node);
    crashes++;
    size_t size = dc_node_save(t->node[node], &image);
    town_crash(t, node);
    town_run(t, at_ns + OUTAGE_NS);
    CU_ASSERT_FALSE(town_recover(t, node, image, size));
    size_t size_again = dc_node_save(t->node[node], &again);
    CU_ASSERT(size == size_again && memcmp(image, again, size) == 0);
    dc_mem_free(image);
    dc_mem_free(again);
}

static void live(const struct life *l)
{
    begin();
    phases = crashes = 0;
    tell(l->shape, l->value);
}

static uint64_t expected[CLIENTS];

static bool all_ended(const struct life *l)
{
    bool all = true;
    for (uint32_t i = 0; i < CLIENTS; i++)
        all &= ended[l->shape.kind][A + i] != 0;
    return all;
}

static void lived(const struct life *l, bool first)
{
    while (t->now_ns < l->end_s * SECOND && !all_ended(l))
        town_run(t, t->now_ns + SECOND);
    town_run(t, t->now_ns + 10 * SECOND);
    const struct dc_state *s = town_state(t, 0);
    CU_ASSERT_EQUAL_FATAL(dc_state_vault(s)->contracts, 1);
    const struct dc_contract *c = dc_state_contract(s, 0);
    CU_ASSERT(c->kind == l->contract && c->phase == DC_CONTRACT_OVER && c->money == 0);
    for (uint32_t i = 0; i < CLIENTS; i++) {
        CU_ASSERT_EQUAL(ended[l->shape.kind][A + i], 1);
        if (first)
            expected[i] = result[l->shape.kind][A + i];
        CU_ASSERT_EQUAL(result[l->shape.kind][A + i], expected[i]);
        CU_ASSERT_NOT_EQUAL(expected[i], DC_APP_REFUSED);
    }
    const struct dc_apps *left = t->node[A]->apps;
    CU_ASSERT(left == NULL || dc_apps_mark(left) == 0);
    end();
}

/* Dies `from` after the call, and then every `every`, as long as the application runs. */
static void dies(const struct life *l, uint32_t node, int64_t from_ns, int64_t every_ns)
{
    for (int64_t at = 3 * SECOND + from_ns; at < (l->end_s - 30) * SECOND && !all_ended(l);
         at += every_ns)
        crash(node, at);
}

static void test_life(const struct life *l)
{
    const uint32_t joining = l->shape.kind == DC_APP_ESCROW || l->shape.kind == DC_APP_RATING;
    live(l);
    lived(l, true);
    for (uint32_t k = 0; k < 2; k++) { /* the owner, at other moments each time */
        live(l);
        dies(l, A, (1 + 19 * k) * SECOND / 10, 4 * SECOND);
        CU_ASSERT(crashes >= 3 && (phases & OPEN) != 0);
        CU_ASSERT(k != 0 || (phases & (joining ? JOINING : CALLING)) != 0);
        lived(l, false);
    }
    for (uint32_t k = 0; k < 2; k++) { /* one who wins, approves, rates, reports */
        live(l);
        dies(l, A + (k == 0 ? 3 : 1), SECOND / 10 + k * SECOND, 4 * SECOND);
        CU_ASSERT(crashes >= 3 && (phases & OPEN) != 0);
        lived(l, false);
    }
    live(l); /* all, one after the other */
    for (uint32_t k = 0; k < 3 * CLIENTS; k++)
        crash(A + k % CLIENTS, 3 * SECOND + SECOND / 10 + k * 16 * SECOND / 10);
    lived(l, false);
}

static void test_auction(void)
{
    test_life(&lives[0]);
}
static void test_escrow(void)
{
    test_life(&lives[1]);
}
static void test_rating(void)
{
    test_life(&lives[2]);
}
static void test_usage(void)
{
    test_life(&lives[3]);
}

/* --- letters that are lost -------------------------------------------------------------------- */

static struct {
    uint32_t lost, lose, calls;
    size_t size;
    uint8_t first[4096];
    bool changed;
} post;

/* The first so many letters with CALLs of the owner. */
static bool lose_calls(void *context, uint32_t from, uint32_t to, const uint8_t *bytes, size_t size)
{
    (void)context, (void)to;
    if (from != A || size < 2 || bytes[0] != DC_MSG_TX || bytes[1] != DC_TX_CALL)
        return false;
    CU_ASSERT_FATAL(size <= sizeof post.first);
    if (post.calls++ == 0) {
        memcpy(post.first, bytes, size);
        post.size = size;
    }
    if (post.lost >= post.lose)
        return false;
    post.changed |= size != post.size || memcmp(bytes, post.first, size) != 0;
    post.lost++;
    return true;
}

/* The contract's making is lost for three times, with a crash in between or without; it is made
 * once. */
static void test_lost(void)
{
    for (uint32_t k = 0; k < 4; k++) {
        const struct life *l = &lives[k];
        memset(&post, 0, sizeof post);
        post.lose = 10;
        live(l);
        t->lose = lose_calls;
        town_run(t, 2 * SECOND);
        lived(l, true);
        CU_ASSERT(post.lost == 10 && post.calls > 10 && !post.changed);
    }
    for (uint32_t k = 0; k < 4; k++) {
        const struct life *l = &lives[k];
        memset(&post, 0, sizeof post);
        post.lose = 10;
        live(l);
        t->lose = lose_calls;
        while (post.calls == 0)
            town_run(t, t->now_ns + SECOND / 10);
        crash(A, t->now_ns);
        CU_ASSERT_EQUAL(phases, CALLING);
        lived(l, true);
        CU_ASSERT(post.lost == 10 && post.calls > 10 && !post.changed);
    }
}

/* Nobody ever takes it: the owner gives up in the end, and says so. */
static void test_never(void)
{
    for (uint32_t k = 0; k < 2; k++) {
        memset(&post, 0, sizeof post);
        post.lose = UINT32_MAX;
        live(&lives[k]);
        t->lose = lose_calls;
        town_run(t, 170 * SECOND);
        CU_ASSERT_EQUAL(dc_state_vault(town_state(t, 0))->contracts, 0);
        CU_ASSERT(post.calls >= DC_APP_SENT_TRIES && post.calls <= 4 * DC_APP_SENT_TRIES &&
                  !post.changed);
        for (uint32_t i = 0; i < CLIENTS; i++)
            CU_ASSERT(ended[lives[k].shape.kind][A + i] == 1 &&
                      result[lives[k].shape.kind][A + i] == DC_APP_REFUSED);
        end();
    }
}

/* --- images ----------------------------------------------------------------------------------- */

/* Cut anywhere, or with a part's kind or sizes changed: a lost store, never a wrong one. */
static void test_images(void)
{
    uint8_t *image;
    live(&lives[1]);
    while (phase_of(A) != CALLING)
        town_run(t, t->now_ns + SECOND / 10);
    struct dc_apps *apps = t->node[A]->apps, fresh;
    size_t max = dc_apps_image_max(apps);
    image = dc_mem_need(1, max, "an image");
    struct dc_writer w = dc_writer(image, max);
    dc_apps_write(apps, &w);
    CU_ASSERT_TRUE_FATAL(!w.failed && w.size > 200);
    for (size_t cut = 0; cut <= w.size; cut++) {
        struct dc_reader r = dc_reader(image, cut);
        memset(&fresh, 0, sizeof fresh);
        bool whole = dc_apps_read(&fresh, &r);
        CU_ASSERT_EQUAL(whole, cut == w.size);
        CU_ASSERT(!whole || dc_apps_mark(&fresh) == dc_apps_mark(apps));
        dc_apps_free(&fresh);
    }
    for (size_t bit = 0; bit < 8 * w.size; bit++) { /* whatever comes of it is freed again */
        image[bit / 8] ^= (uint8_t)(1u << bit % 8);
        struct dc_reader r = dc_reader(image, w.size);
        memset(&fresh, 0, sizeof fresh);
        if (dc_apps_read(&fresh, &r))
            CU_ASSERT(dc_apps_image_max(&fresh) >= w.size || bit < 8);
        dc_apps_free(&fresh);
        image[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    dc_mem_free(image);
    end();
}

int main(void)
{
    static const struct test_case cases[] = {
        {"auction", test_auction}, {"escrow", test_escrow}, {"rating", test_rating},
        {"usage", test_usage},     {"lost", test_lost},     {"never", test_never},
        {"images", test_images},
    };
    return TEST_MAIN("client/app_crash", cases);
}
