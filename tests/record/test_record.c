/* The recorder and the reader: same bytes every time, a digest that sees every change, refusals. */
#include "tests/record/synthetic.h"

#include "models/base/mem.h"
#include "sim/record/read.h"
#include "tests/support/harness.h"

#include <locale.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static char folder[] = "/tmp/destra-record-XXXXXX";

static const char *file_in(char out[128], const char *name)
{
    snprintf(out, 128, "%s/%s", folder, name);
    return out;
}

static char *slurp(const char *path, size_t *size)
{
    FILE *f = fopen(path, "rb");
    CU_ASSERT_PTR_NOT_NULL_FATAL(f);
    fseek(f, 0, SEEK_END);
    *size = (size_t)ftell(f);
    rewind(f);
    char *data = dc_mem_alloc(*size + 1, 1);
    CU_ASSERT_PTR_NOT_NULL_FATAL(data);
    CU_ASSERT_EQUAL_FATAL(fread(data, 1, *size, f), *size);
    fclose(f);
    return data;
}

static bool same_file(const char *a, const char *b)
{
    size_t na, nb;
    char *da = slurp(a, &na), *db = slurp(b, &nb);
    bool same = na == nb && memcmp(da, db, na) == 0;
    dc_mem_free(da);
    dc_mem_free(db);
    return same;
}

static void write_file(const char *path, char content[65])
{
    struct synthetic s = synthetic_default;
    struct dc_error error = {0};
    s.path = path;
    CU_ASSERT_EQUAL_FATAL(synthetic_write(&s, content, &error), DC_OK);
}

/* Another process, heap, directory, time zone, locale and time of day. */
static void test_same_bytes(void)
{
    char a[128], b[128], one[65], again[65], partial[160];
    write_file(file_in(a, "a.h5"), one);
    CU_ASSERT_EQUAL(strlen(one), 64);
    sleep(1); /* a time stamp in the file would differ */
    static const char *const perturb[] = {"0", "85", "255"};
    for (size_t i = 0; i < 3; i++) {
        pid_t child = fork();
        if (child == 0) {
            if (chdir("/") != 0)
                _exit(9);
            setenv("TZ", "Asia/Kathmandu", 1);
            setenv("LC_ALL", "de_DE.UTF-8", 1);
            setenv("MALLOC_PERTURB_", perturb[i], 1);
            execl("/proc/self/exe", "test_record", "--write", file_in(b, "b.h5"), (char *)NULL);
            _exit(9);
        }
        int status = 0;
        waitpid(child, &status, 0);
        CU_ASSERT_EQUAL(status, 0);
        CU_ASSERT_TRUE(same_file(a, file_in(b, "b.h5")));
    }
    write_file(file_in(b, "c.h5"), again);
    CU_ASSERT_TRUE(same_file(a, b));
    CU_ASSERT_STRING_EQUAL(one, again);
    snprintf(partial, sizeof partial, "%s.partial", a);
    CU_ASSERT_NOT_EQUAL(access(partial, F_OK), 0);
}

/* One number, letter or attribute changed anywhere changes the digest; the build does not. */
static void test_content_digest(void)
{
    char path[128], base[65], other[65];
    struct dc_error error = {0};
    struct synthetic s = synthetic_default;
    s.path = file_in(path, "digest.h5");
    s.epochs = 3;
    s.challenges = s.blocks = s.events = 40;
    CU_ASSERT_EQUAL_FATAL(synthetic_write(&s, base, &error), DC_OK);
    for (int table = 0; table < DS_TABLE_COUNT; table++) {
        struct synthetic changed = s;
        changed.touch_table = table;
        CU_ASSERT_EQUAL_FATAL(synthetic_write(&changed, other, &error), DC_OK);
        CU_ASSERT_STRING_NOT_EQUAL(base, other);
        changed = s;
        changed.tables_off = 1ull << table;
        CU_ASSERT_EQUAL_FATAL(synthetic_write(&changed, other, &error), DC_OK);
        CU_ASSERT_STRING_NOT_EQUAL(base, other);
    }
    struct synthetic variants[3] = {s, s, s};
    variants[0].scenario = "name: other\n";
    variants[1].seed++;
    variants[2].complete = false;
    for (size_t i = 0; i < 3; i++) {
        CU_ASSERT_EQUAL_FATAL(synthetic_write(&variants[i], other, &error), DC_OK);
        CU_ASSERT_STRING_NOT_EQUAL(base, other);
    }
    s.build = "clang 14 -O0";
    CU_ASSERT_EQUAL_FATAL(synthetic_write(&s, other, &error), DC_OK);
    CU_ASSERT_STRING_EQUAL(base, other);
}

static void count_visit(void *context, const char *dataset)
{
    CU_ASSERT_EQUAL(strncmp(dataset, "/epochs/", 8), 0);
    ++*(size_t *)context;
}

static void check_columns(struct ds_results *r)
{
    struct dc_error error = {0};
    uint64_t blocks[23], bond[2 * 300], row;
    double p[300];
    CU_ASSERT_EQUAL(ds_results_read(r, "/epochs/blocks", 0, 23, DS_U64, blocks, &error), DC_OK);
    for (uint64_t e = 0; e < 23; e++)
        CU_ASSERT_EQUAL(blocks[e], synthetic_value(13, e, 0));
    CU_ASSERT_EQUAL(ds_results_read(r, "/node_epoch/bond", 20, 2, DS_U64, bond, &error), DC_OK);
    CU_ASSERT_EQUAL(bond[300 + 299], synthetic_value(130, 21, 299));
    CU_ASSERT_EQUAL(ds_results_read(r, "/node_epoch/p_value", 22, 1, DS_F64, p, &error), DC_OK);
    for (uint64_t n = 0; n < 300; n++) {
        double want = synthetic_double(120, 22, n);
        CU_ASSERT_TRUE(p[n] == want || (isnan(p[n]) && isnan(want)));
    }
    CU_ASSERT_EQUAL(ds_results_read(r, "/epochs/blocks", 23, 1, DS_U64, &row, &error), DC_ERR_IO);
    CU_ASSERT_EQUAL(ds_results_read(r, "/no/such", 0, 1, DS_U64, &row, NULL), DC_ERR_IO);
    CU_ASSERT_EQUAL(ds_results_read(r, "/node_name", 0, 1, DS_U64, &row, NULL), DC_ERR_IO);
    size_t columns = 0;
    CU_ASSERT_EQUAL(ds_results_each(r, "/epochs", count_visit, &columns, NULL), DC_OK);
    CU_ASSERT_EQUAL(columns, ds_schema_results()->tables[DS_TABLE_EPOCHS].column_count);
}

static void test_reader(void)
{
    char path[128], stored[65], now[65];
    struct dc_error error = {0};
    struct ds_results *r;
    write_file(file_in(path, "read.h5"), stored);
    CU_ASSERT_EQUAL_FATAL(ds_results_open(path, &r, &error), DC_OK);
    CU_ASSERT_STRING_EQUAL(ds_results_text(r, "scenario"), SCENARIO_TEXT);
    CU_ASSERT_STRING_EQUAL(ds_results_text(r, "trace_digest"), "abcd");
    CU_ASSERT_STRING_EQUAL(ds_results_text(r, "content_digest"), stored);
    CU_ASSERT_PTR_NULL(ds_results_text(r, "nothing"));
    CU_ASSERT_EQUAL(ds_results_seed(r), 7);
    CU_ASSERT_TRUE(ds_results_complete(r));
    CU_ASSERT_EQUAL(ds_results_size(r, "node"), 300);
    CU_ASSERT_EQUAL(ds_results_size(r, "epoch"), 23);
    CU_ASSERT_EQUAL(ds_results_size(r, "event"), 20000);
    CU_ASSERT_EQUAL(ds_results_size(r, "nothing"), 0);
    CU_ASSERT_STRING_EQUAL(ds_results_attribute(r, "/epochs/bytes", "units"), "By");
    CU_ASSERT_STRING_EQUAL(ds_results_string(r, "/node_name", 299), "sto[299]");
    CU_ASSERT_PTR_NULL(ds_results_string(r, "/node_name", 300));
    check_columns(r);
    struct ds_results_input input;
    CU_ASSERT_EQUAL(ds_results_size(r, "input"), 2);
    CU_ASSERT_EQUAL_FATAL(ds_results_input(r, 0, &input, &error), DC_OK);
    CU_ASSERT_STRING_EQUAL(input.path, "net.gml");
    CU_ASSERT_EQUAL(input.bytes, 33);
    CU_ASSERT_EQUAL(memcmp(input.content, "graph [\n node [ id 0 ]\n]\n\0binary", 33), 0);
    CU_ASSERT_EQUAL_FATAL(ds_results_input(r, 1, &input, &error), DC_OK);
    CU_ASSERT_EQUAL(input.bytes, 0);
    CU_ASSERT_EQUAL(ds_results_input(r, 2, &input, NULL), DC_ERR_IO);
    struct ds_scalar scalar;
    CU_ASSERT_EQUAL(ds_results_summary_count(r), 4);
    CU_ASSERT_EQUAL_FATAL(ds_results_summary(r, 2, &scalar, &error), DC_OK);
    CU_ASSERT_STRING_EQUAL(scalar.name, "margin");
    CU_ASSERT_EQUAL(scalar.type, DS_I64);
    CU_ASSERT_EQUAL(scalar.value.i64, -5);
    CU_ASSERT_EQUAL(ds_results_summary(r, 4, &scalar, NULL), DC_ERR_IO);
    CU_ASSERT_EQUAL(ds_results_content_digest(r, now, &error), DC_OK);
    CU_ASSERT_STRING_EQUAL(now, stored);
    ds_results_close(r);
}

/* What is no results file is refused in words, whatever its bytes. */
static void test_reader_refuses(void)
{
    char good[128], bad[128];
    struct ds_results *r;
    struct dc_error error = {0};
    CU_ASSERT_EQUAL(ds_results_open("/nonexistent/x.h5", &r, &error), DC_ERR_IO);
    CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "No such file"));
    write_file(file_in(good, "good.h5"), NULL);
    size_t size;
    char *data = slurp(good, &size);
    for (size_t cut = 0; cut < size; cut += size / 7 + 1) {
        FILE *f = fopen(file_in(bad, "bad.h5"), "wb");
        CU_ASSERT_PTR_NOT_NULL_FATAL(f);
        fwrite(data, 1, cut, f);
        fclose(f);
        memset(&error, 0, sizeof error);
        CU_ASSERT_EQUAL(ds_results_open(bad, &r, &error), DC_ERR_IO);
        CU_ASSERT_NOT_EQUAL(error.text[0], 0);
    }
    dc_mem_free(data);
}

static void refuse(const char *path, const char *words)
{
    struct dc_error error = {0};
    struct ds_recorder *r;
    struct synthetic s = synthetic_default;
    s.path = path;
    CU_ASSERT_EQUAL(ds_record_check_path(path, &error), DC_ERR_USAGE);
    CU_ASSERT_PTR_NOT_NULL(strstr(error.text, words));
    CU_ASSERT_EQUAL(synthetic_open(&s, &r, NULL), DC_ERR_USAGE);
    CU_ASSERT_PTR_NULL(r);
}

static void test_paths(void)
{
    char path[128];
    refuse(folder, "is a directory");
    refuse(file_in(path, "new/"), "is a directory");
    CU_ASSERT_NOT_EQUAL(access(path, F_OK), 0);
    refuse(file_in(path, "no/such/out.h5"), "mkdir -p");
    refuse("", "no name");
    refuse("/dev/null", "not a regular file");
    CU_ASSERT_EQUAL(mkdir(file_in(path, "taken.h5.partial"), 0777), 0);
    struct synthetic s = synthetic_default;
    struct dc_error error = {0};
    s.path = file_in(path, "taken.h5");
    CU_ASSERT_EQUAL(synthetic_write(&s, NULL, &error), DC_ERR_IO);
    CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "taken.h5.partial"));
    /* An older result is replaced only by a finished one. */
    char content[65];
    write_file(file_in(path, "old.h5"), content);
    s.path = path;
    s.complete = false;
    CU_ASSERT_EQUAL(synthetic_write(&s, NULL, &error), DC_OK);
    struct ds_results *r;
    CU_ASSERT_EQUAL_FATAL(ds_results_open(path, &r, NULL), DC_OK);
    CU_ASSERT_TRUE(ds_results_complete(r));
    CU_ASSERT_STRING_EQUAL(ds_results_text(r, "content_digest"), content);
    ds_results_close(r);
}

/* Set-up and closing with the n-th request of memory refused.  HDF5 tries some things twice, so a
 * refusal may also be survived. */
static void test_memory(void)
{
    char path[128];
    struct synthetic s = synthetic_default;
    s.path = file_in(path, "memory.h5");
    unsigned refused = 0, survived = 0;
    for (uint64_t budget = 0; budget < 120; budget++) {
        struct dc_error error = {0};
        struct ds_recorder *r = NULL;
        dc_mem_budget(budget);
        enum dc_status status = synthetic_open(&s, &r, &error);
        if (status == DC_OK)
            status = ds_recorder_close(r, false, NULL, NULL, &error);
        dc_mem_budget(UINT64_MAX);
        CU_ASSERT_TRUE(status == DC_OK || status == DC_ERR_IO);
        CU_ASSERT_EQUAL(status == DC_OK, error.text[0] == '\0');
        refused += status != DC_OK;
        survived += status == DC_OK;
    }
    CU_ASSERT_TRUE(refused > 3);
    CU_ASSERT_TRUE(survived > 0);
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "--write") == 0) {
        struct dc_error error = {0};
        struct synthetic s = synthetic_default;
        setlocale(LC_ALL, "");
        tzset();
        s.path = argv[2];
        return (int)synthetic_write(&s, NULL, &error);
    }
    static const struct test_case cases[] = {
        {"same bytes for any process, heap, directory, zone and locale", test_same_bytes},
        {"content digest sees every change but the build", test_content_digest},
        {"reader gives back what was written", test_reader},
        {"reader refuses what is no results file", test_reader_refuses},
        {"output paths that cannot work", test_paths},
        {"memory refused at set-up", test_memory},
    };
    if (mkdtemp(folder) == NULL)
        return 1;
    int result = TEST_MAIN("record", cases);
    char command[160];
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    return system(command) == 0 ? result : 1;
}
