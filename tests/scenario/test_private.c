/* Privacy, payments and applications in scenarios: read where they belong, printed and read again,
 * left out of what is printed where there are none; and what does not fit together is refused, in
 * its place. */
#include "sim/scenario/scenario.h"
#include "tests/support/harness.h"

#include <stdio.h>
#include <string.h>

#define HEAD                                                                                       \
    "name: p\nduration: 10 epochs\nnetwork: {latency: 5 ms}\nprotocol: {epoch_blocks: 20}\n"       \
    "nodes:\n  - {name: val, role: validator, count: 7}\n"                                         \
    "  - {name: sto, role: service, count: 3}\n"                                                   \
    "  - {name: cli, role: client, count: 9}\n"

static enum dc_status load(const char *text, struct ds_scenario *out, struct dc_text *said)
{
    struct ds_diagnostics d = {0};
    struct ds_source source = {.name = "p.yaml", .text = text, .size = strlen(text)};
    enum dc_status status = ds_scenario_load_text(&source, NULL, 0, out, &d);
    ds_diagnostics_print(&d, said);
    ds_diagnostics_free(&d);
    return status;
}

static const char whole[] =
    "name: p\nduration: 10 epochs\nnetwork: {latency: 5 ms}\nprotocol: {epoch_blocks: 20}\n"
    "nodes:\n  - {name: val, role: validator, count: 7}\n"
    "  - {name: sto, role: service, count: 3}\n"
    "  - name: cli\n    role: client\n    count: 9\n"
    "    payments: {arrivals: poisson(0.5 /s), amount: 'uniform(1 DSYNC, 2 DSYNC)',\n"
    "               shield: 80 DSYNC, notes: 3, from: 20 s}\n"
    "privacy: {holders: 7, threshold: 4, beacon: threshold, ring: 8, note_age: 3, decoys: 50,\n"
    "          fee: 0.5 DSYNC}\n"
    "applications:\n"
    "  - {name: a, kind: auction, at: 5 s, owner: 'cli[0]', participants: 3 of cli,\n"
    "     amount: 7 DSYNC, close: 9, end: 19}\n"
    "  - {name: e, kind: escrow, at: 6 s, owner: 1 of cli, participants: clients, node: 'cli[2]',\n"
    "     threshold: 5}\n"
    "  - {name: u, kind: usage, at: 7 s, owner: 'cli[1]', participants: clients, node: 'sto[0]',\n"
    "     bound: 100, payment: 3 DSYNC, value: 12}\n"
    "  - {name: t, kind: training, at: 8 s, participants: clients,\n"
    "     node: 'sto[1]', rounds: 6, features: 5, samples: 9}\n"
    "expect:\n  - application_result.a == 1\n  - contracts_settled.escrow == 1\n"
    "  - training_exact\n";

static void test_whole(void)
{
    struct ds_scenario s, again;
    struct dc_text said = {0}, first = {0}, second = {0};
    enum dc_status status = load(whole, &s, &said);
    if (said.size != 0)
        printf("\n%s", said.data);
    CU_ASSERT_EQUAL_FATAL(status, DC_OK);
    const struct dc_params *p = &s.protocol;
    CU_ASSERT(s.privacy && p->holders == 7 && p->threshold == 4 && p->ring == 8 &&
              p->note_age == 3 && p->decoys == 50 && p->fee_private == DC_DSYNC / 2 &&
              p->beacon == DC_BEACON_THRESHOLD);
    const struct ds_payments *pay = &s.groups[2].payments;
    CU_ASSERT(pay->given && pay->arrivals.kind == DS_DIST_POISSON && pay->notes == 3 &&
              pay->shield == 80 * DC_DSYNC && pay->from_ns == 20000000000);
    CU_ASSERT_EQUAL_FATAL(s.applications_count, 4);
    const struct ds_application *a = s.applications;
    CU_ASSERT(a[0].kind == DS_APPLICATION_AUCTION && a[0].close == 9 && a[0].end == 19 &&
              a[0].node == NULL && a[0].at_ns == 5000000000);
    CU_ASSERT(a[1].kind == DS_APPLICATION_ESCROW && a[1].threshold == 5 && a[1].end == 24);
    CU_ASSERT(a[2].bound == 100 && a[2].payment == 3 * DC_DSYNC);
    CU_ASSERT(a[3].rounds == 6 && a[3].features == 5 && a[3].samples == 9 && a[3].end == 0);
    ds_scenario_print_resolved(&s, &first);
    CU_ASSERT_EQUAL_FATAL(load(first.data, &again, &said), DC_OK);
    ds_scenario_print_resolved(&again, &second);
    CU_ASSERT_STRING_EQUAL(first.data, second.data);
    ds_scenario_free(&s);
    ds_scenario_free(&again);
    dc_text_free(&first);
    dc_text_free(&second);
    dc_text_free(&said);
}

/* Nothing of it is there, and nothing is printed; with an empty section, its defaults are. */
static void test_absent(void)
{
    struct ds_scenario s;
    struct dc_text said = {0}, text = {0};
    CU_ASSERT_EQUAL_FATAL(load(HEAD, &s, &said), DC_OK);
    const struct dc_params *p = &s.protocol;
    CU_ASSERT(!s.privacy && p->holders == 0 && p->threshold == 0 && p->beacon == DC_BEACON_VRF &&
              p->ring == 0 && p->note_age == 0 && p->decoys == 0 && p->fee_private == 0);
    ds_scenario_print_resolved(&s, &text);
    CU_ASSERT(strstr(text.data, "privacy") == NULL && strstr(text.data, "payments") == NULL &&
              strstr(text.data, "applications") == NULL);
    ds_scenario_free(&s);
    CU_ASSERT_EQUAL_FATAL(load(HEAD "privacy: {}\n", &s, &said), DC_OK);
    CU_ASSERT(s.privacy && p->ring == 11 && p->note_age == 2 && p->decoys == 0 &&
              p->fee_private == DC_DSYNC / 1000 && p->holders == 0);
    ds_scenario_free(&s);
    dc_text_free(&text);
    dc_text_free(&said);
}

#define AT "  - {name: x, at: 5 s, owner: 'cli[0]', participants: clients, kind: "
#define ON HEAD "privacy: {holders: 4}\napplications:\n"

static void test_refusals(void)
{
    static const struct {
        const char *text, *place, *words;
    } rows[] = {
        {HEAD "privacy: {holders: 8}\n", "9:20", "8 of 7 validators cannot hold keys"},
        {HEAD "privacy: {threshold: 1}\n", "9:22", "above holders"},
        {HEAD "privacy: {holders: 4, threshold: 5}\n", "9:34", "5 is above holders, 4"},
        {HEAD "privacy: {beacon: threshold}\n", "9:19", "needs key holders"},
        {HEAD "privacy: {ring: 1}\n", "9:17", "use 2 to 64"},
        {HEAD "privacy: {rings: 4}\n", "9:11", "did you mean `ring`?"},
        {HEAD "  - {name: c, role: client, count: 2, payments: {}}\n", "9:49",
         "give privacy.decoys"},
        {HEAD "  - {name: c, role: client, count: 2, payments: {}}\nprivacy: {decoys: 10}\n",
         "9:49", "as many notes at genesis as a ring has"},
        {HEAD "  - {name: c, role: client, count: 2, payments: {shield: 1 DSYNC}}\n"
              "privacy: {decoys: 20, fee: 0.5 DSYNC}\n",
         "9:58", "does not pay for one fee"},
        {HEAD
         "  - {name: c, role: client, count: 2, payments: {notes: 99}}\nprivacy: {decoys: 20}\n",
         "9:57", "use 1 to 32"},
        {HEAD "  - {name: c, role: client, count: 2, payments: {strategy: ghost}}\n"
              "privacy: {decoys: 20}\n",
         "9:60", "this group's role is client"},
        {ON AT "rating, node: 'cli[1]'}\n", "11:84", "is no service node"},
        {ON AT "rating, node: 'sto[1]', value: 6}\n", "11:101", "a rating is 0 to 5"},
        {ON AT "training, node: 'cli[1]'}\n", "11:24", "`owner` does nothing"},
        {HEAD "  - {name: v, role: validator, count: 2, payments: {}}\n", "9:42",
         "does nothing for role validator"},
        {HEAD "applications:\n" AT "auction}\n", "10:5", "need `privacy`"},
        {HEAD "privacy: {}\napplications:\n" AT "usage, node: 'sto[0]'}\n", "11:5",
         "of kind usage needs key holders"},
        {ON AT "auctoin}\n", "11:70", "did you mean `auction`?"},
        {ON AT "auction, node: 'sto[0]'}\n", "11:79", "`node` does nothing for kind auction"},
        {ON AT "rating}\n", "11:5", "`node` is missing"},
        {ON AT "rating, node: sto}\n", "11:84", "`sto` is not one node"},
        {ON AT "auction, close: 20, end: 20}\n", "11:86", "20 is not before end, 20"},
        {ON AT "auction, end: 199}\n", "11:84", "the run has 200 blocks"},
        {ON AT "escrow, node: 'sto[0]', threshold: 10}\n", "11:105", "can never approve"},
        {ON AT "usage, node: 'sto[0]', bound: 5}\n", "11:100", "bound and payment belong together"},
        {ON AT "auction}\n" AT "auction}\n", "12:12", "duplicate name `x`"},
        {ON AT "auction}\nexpect:\n  - application_result.y == 1\n", "13:5",
         "no application is called `y`: did you mean `x`?"},
        {ON AT "auction}\nexpect: [application_result == 1]\n", "12:10", "the names of"},
        {ON AT "auction}\nexpect: [contracts_opened.auctions == 1]\n", "12:10",
         "did you mean `auction`?"},
        {HEAD "max_time: 4 s\nprivacy: {}\napplications:\n" AT "auction}\n", "12:19",
         "the run is over by then"},
        {HEAD "privacy: {}\napplications:\n  - {name: x, kind: auction, at: 5 s, owner: cli,\n"
              "     participants: clients}\n",
         "11:46", "owner: `cli` is not one node"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct ds_scenario s;
        struct dc_text said = {0}, place = {0};
        CU_ASSERT_EQUAL(load(rows[i].text, &s, &said), DC_ERR_USAGE);
        dc_text_printf(&place, "p.yaml:%s: error: ", rows[i].place);
        bool found = said.data != NULL && strstr(said.data, place.data) != NULL &&
                     strstr(said.data, rows[i].words) != NULL;
        if (!found)
            printf("\n  wanted %s %s\n  said %s", rows[i].place, rows[i].words,
                   said.data != NULL ? said.data : "nothing\n");
        CU_ASSERT_TRUE(found);
        ds_scenario_free(&s);
        dc_text_free(&said);
        dc_text_free(&place);
    }
}

int main(void)
{
    static const struct test_case cases[] = {
        {"the whole", test_whole}, {"absent", test_absent}, {"refusals", test_refusals}};
    return TEST_MAIN("scenario private", cases);
}
