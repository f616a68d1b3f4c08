/* Private applications in small versions of their scenarios: right to the bit, the same on any number of
 * threads and without the memory of proofs, and none moved by another. */
#include "tests/world/run.h"

/* One after another on threads, then without the memory of proofs: small versions of the scenarios. */
static void test_applications(void)
{
    static const struct {
        const char *file, *set[6];
        double applications;
    } rows[] = {
        {"encrypted-usage.yaml",
         {"nodes.val.count=7", "privacy.threshold=3", "nodes.sto.count=2"},
         2},
        {"federated-training.yaml", {"nodes.val.count=4", "applications.hospital.rounds=2"}, 2},
        {"sealed-auction.yaml",
         {"nodes.val.count=5", "nodes.sto.count=2", "applications.hall.participants=3 of cli",
          "applications.house.participants=cli[3..4]", "applications.house.threshold=2",
          "applications.stars.participants=cli[9..10]"},
         3},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char digest[33] = "", content[65] = "";
        for (uint32_t k = 0; k < 3; k++) {
            struct run_how how = {
                .threads = 1 + k, .parallel_events = k == 0 ? 0 : 1, .results = k < 2};
            memcpy(how.set, rows[i].set, sizeof rows[i].set);
            how.set[run_count(&how)] = "duration=3 epochs";
            if (k == 2)
                how.set[run_count(&how)] = "memo=off";
            struct run r = run_file(rows[i].file, &how);
            run_invariants(&r);
            CU_ASSERT_EQUAL(run_value(&r, "applications_exact"), rows[i].applications);
            CU_ASSERT_EQUAL(run_value(&r, "applications_refused"), 0);
            if (k == 0) {
                memcpy(digest, r.summary.trace_digest, sizeof digest);
                memcpy(content, r.summary.content_digest, sizeof content);
            }
            CU_ASSERT_STRING_EQUAL(r.summary.trace_digest, digest);
            if (k < 2)
                CU_ASSERT_STRING_EQUAL(r.summary.content_digest, content);
            run_end(&r);
        }
    }
}

/* An application's numbers are its own: without another one, and with other names in the list, it
 * comes to the same. */
static void test_alone(void)
{
    struct run both = run_file("encrypted-usage.yaml", &(struct run_how){0});
    struct run one = run_file(
        "encrypted-usage.yaml",
        &(struct run_how){.set = {"applications=[{name: april, kind: usage, at: 6 s, owner: "
                                  "'cli[9]', node: 'sto[1]', participants: 'cli[10..14]', value: "
                                  "'uniform(10, 100)', close: 15, end: 40}]",
                                  "expect=safety"}});
    double april = run_value(&both, "application_result.april");
    CU_ASSERT(april > 50 && april < 500);
    CU_ASSERT_EQUAL(run_value(&one, "application_result.april"), april);
    run_end(&one);
    run_end(&both);
}

int main(void)
{
    static const struct test_case cases[] = {{"threads and memory", test_applications},
                                             {"alone", test_alone}};
    return TEST_MAIN("world applications", cases);
}
