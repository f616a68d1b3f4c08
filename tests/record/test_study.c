/* A study's file: what is written is read back exactly, the same struct gives the same bytes, every
 * tool opens it, damage and full disks are refused. */
#include "analysis/read_study.h"
#include "models/base/rng.h"
#include "sim/record/study.h"
#include "tests/support/harness.h"

#include <hdf5.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char folder[] = "/tmp/destra-study-XXXXXX";

static const char *file_in(char out[128], const char *name)
{
    snprintf(out, 128, "%s/%s", folder, name);
    return out;
}

/* ---- an invented study ----------------------------------------------------------------------- */

static const char *const words[] = {"moderate", "idle", "früh"};
static const char *const numbers[] = {"0", "0.1"};
static const struct da_parameter parameters[] = {
    {"protocol.theta", "theta", "1", false, DA_LINEAR, 0, 0.1, numbers, 2},
    {"protocol.slash_first", "slash", "s", false, DA_LOG, 1e-3, 0.1, NULL, 0},
    {"nodes.sto.demand", "demand", "", true, DA_LINEAR, 0, 2, words, 3},
};
static const struct da_metric metrics[] = {
    {"loss", "%", "value of the pool that is lost"},
    {"finality_latency.p99", "s", "proposal to commit"},
    {"detect_20.partial(0.3)", "1", ""},
};
static const struct da_failure failures[] = {{2, 1, "it was ended after 60 s\nof µ time"},
                                             {4, 0, ""}};
static const struct da_objective objectives[] = {{"loss", false}, {"detect_20.partial(0.3)", true}};
static const struct da_constraint constraints[] = {
    {"loss <= 3 %", "loss", DA_LE, 3, 0.95},
    {"detect_20.partial(0.3) != 0", "detect_20.partial(0.3)", DA_NE, 0, 0.99},
};

/* points x replications of what the generator says; some not measured, some missing. */
static struct da_study invented(size_t points, size_t replications)
{
    struct da_study s = {.name = "invented",
                         .title = "What is it for?",
                         .text = "# What is it for?\nname: invented\n",
                         .scenario = "name: früh\n",
                         .version = "0.1.0 (abc)",
                         .design = DA_SALTELLI,
                         .base = points / 5,
                         .parameter = parameters,
                         .parameters = 3,
                         .metric = metrics,
                         .metrics = 3,
                         .points = points,
                         .replications = replications,
                         .failure = failures,
                         .failures = 2,
                         .objective = objectives,
                         .objectives = 2,
                         .constraint = constraints,
                         .constraints = 2};
    struct dc_stream stream = dc_stream(7, dc_name("study"), dc_name("values"));
    size_t runs = points * replications;
    s.seed = dc_arena_alloc(&s.arena, replications * sizeof *s.seed);
    s.x = dc_arena_alloc(&s.arena, points * 3 * sizeof *s.x);
    s.status = dc_arena_alloc(&s.arena, runs);
    s.value = dc_arena_alloc(&s.arena, runs * 3 * sizeof *s.value);
    s.trace_digest = dc_arena_alloc(&s.arena, runs * sizeof *s.trace_digest);
    for (size_t r = 0; r < replications; r++)
        s.seed[r] = UINT64_MAX - replications + r; /* no double holds these */
    for (size_t i = 0; i < points * 3; i++)
        s.x[i] = (double)dc_next64(&stream) * 1e-19;
    for (size_t i = 0; i < runs; i++) {
        s.status[i] = (uint8_t)dc_next_below(&stream, 5);
        bool data = s.status[i] == DA_RUN_DONE || s.status[i] == DA_RUN_EXPECTATION;
        s.trace_digest[i] = data ? "0123456789abcdef0123456789abcdef" : NULL;
        for (size_t m = 0; m < 3; m++)
            s.value[3 * i + m] = data && dc_next_below(&stream, 8) != 0
                                     ? (double)(int64_t)dc_next64(&stream) * 1e-10
                                     : NAN;
    }
    return s;
}

static bool same_text(const char *a, const char *b)
{
    return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

/* Equal bits, or both NaN. */
static bool same_doubles(const double *a, const double *b, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (memcmp(&a[i], &b[i], sizeof *a) != 0 && !(isnan(a[i]) && isnan(b[i])))
            return false;
    return true;
}

static void compare_parts(const struct da_study *a, const struct da_study *b)
{
    for (size_t i = 0; i < a->parameters; i++) {
        const struct da_parameter *p = &a->parameter[i], *q = &b->parameter[i];
        CU_ASSERT(same_text(p->path, q->path) && same_text(p->label, q->label) &&
                  same_text(p->unit, q->unit));
        CU_ASSERT(p->words == q->words && p->scale == q->scale && p->lo == q->lo && p->hi == q->hi);
        CU_ASSERT_EQUAL_FATAL(p->words_count, q->words_count);
        CU_ASSERT_EQUAL(p->word == NULL, q->word == NULL);
        for (size_t k = 0; k < p->words_count; k++)
            CU_ASSERT(same_text(p->word[k], q->word[k]));
    }
    for (size_t i = 0; i < a->metrics; i++)
        CU_ASSERT(same_text(a->metric[i].name, b->metric[i].name) &&
                  same_text(a->metric[i].unit, b->metric[i].unit) &&
                  same_text(a->metric[i].long_name, b->metric[i].long_name));
    for (size_t i = 0; i < a->failures; i++)
        CU_ASSERT(a->failure[i].point == b->failure[i].point &&
                  a->failure[i].replication == b->failure[i].replication &&
                  same_text(a->failure[i].text, b->failure[i].text));
    for (size_t i = 0; i < a->objectives; i++)
        CU_ASSERT(same_text(a->objective[i].metric, b->objective[i].metric) &&
                  a->objective[i].maximise == b->objective[i].maximise);
    for (size_t i = 0; i < a->constraints; i++) {
        const struct da_constraint *c = &a->constraint[i], *d = &b->constraint[i];
        CU_ASSERT(same_text(c->text, d->text) && same_text(c->metric, d->metric));
        CU_ASSERT(c->op == d->op && c->value == d->value && c->confidence == d->confidence);
    }
}

static void compare(const struct da_study *a, const struct da_study *b)
{
    CU_ASSERT(same_text(a->name, b->name) && same_text(a->title, b->title));
    CU_ASSERT(same_text(a->text, b->text) && same_text(a->scenario, b->scenario));
    CU_ASSERT(same_text(a->version, b->version) && a->design == b->design && a->base == b->base);
    CU_ASSERT_EQUAL_FATAL(a->parameters, b->parameters);
    CU_ASSERT_EQUAL_FATAL(a->metrics, b->metrics);
    CU_ASSERT_EQUAL_FATAL(a->points, b->points);
    CU_ASSERT_EQUAL_FATAL(a->replications, b->replications);
    CU_ASSERT_EQUAL_FATAL(a->failures, b->failures);
    CU_ASSERT_EQUAL_FATAL(a->objectives, b->objectives);
    CU_ASSERT_EQUAL_FATAL(a->constraints, b->constraints);
    size_t runs = a->points * a->replications;
    CU_ASSERT(memcmp(a->seed, b->seed, a->replications * sizeof *a->seed) == 0);
    CU_ASSERT(memcmp(a->status, b->status, runs) == 0);
    CU_ASSERT(same_doubles(a->x, b->x, a->points * a->parameters));
    CU_ASSERT(same_doubles(a->value, b->value, runs * a->metrics));
    for (size_t i = 0; i < runs; i++)
        CU_ASSERT(same_text(a->trace_digest[i], b->trace_digest[i]));
    compare_parts(a, b);
}

/* ---- cases ----------------------------------------------------------------------------------- */

static void write_study(const struct da_study *s, const char *path)
{
    struct dc_error error = {0};
    enum dc_status status = ds_study_write(s, path, &error);
    if (status != DC_OK)
        fprintf(stderr, "%s\n", error.text);
    CU_ASSERT_EQUAL_FATAL(status, DC_OK);
}

static void round_trip(const struct da_study *s, const char *name)
{
    char path[128];
    struct dc_error error = {0};
    struct da_study back;
    write_study(s, file_in(path, name));
    enum dc_status status = da_study_read(path, &back, &error);
    if (status != DC_OK)
        fprintf(stderr, "%s\n", error.text);
    CU_ASSERT_EQUAL_FATAL(status, DC_OK);
    compare(s, &back);
    da_study_free(&back);
}

static void test_round_trip(void)
{
    static const size_t sizes[][2] = {{5, 2}, {40, 3}, {3000, 10}, {5, 20000}};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        struct da_study s = invented(sizes[i][0], sizes[i][1]);
        round_trip(&s, "trip.h5");
        da_study_free(&s);
    }
}

/* Nothing failed, nothing is wanted, one of everything else. */
static void test_little(void)
{
    struct da_study s = invented(5, 2);
    s.failures = s.objectives = s.constraints = 0;
    s.parameter = &parameters[1]; /* no words at all */
    s.parameters = s.metrics = s.points = s.replications = 1;
    s.design = DA_LIST;
    s.base = 0;
    s.title = "";
    round_trip(&s, "little.h5");
    da_study_free(&s);
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

static void test_same_bytes(void)
{
    char a[128], b[128];
    size_t na, nb;
    struct da_study s = invented(500, 4);
    write_study(&s, file_in(a, "a.h5"));
    void *disturb = dc_mem_alloc(12345, 3); /* another heap */
    sleep(1);                               /* and time */
    write_study(&s, file_in(b, "another-name.h5"));
    dc_mem_free(disturb);
    char *da = slurp(a, &na), *db = slurp(b, &nb);
    CU_ASSERT_EQUAL_FATAL(na, nb);
    CU_ASSERT(memcmp(da, db, na) == 0);
    dc_mem_free(da);
    dc_mem_free(db);
    da_study_free(&s);
}

static void test_every_tool_opens_it(void)
{
    char path[128];
    struct da_study s = invented(40, 3);
    write_study(&s, file_in(path, "open.h5"));
    char *const command[] = {"/usr/bin/python3", DESTRA_SOURCE "/tests/record/open_study.py", path,
                             NULL};
    int status = 1;
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        execv(command[0], command);
        _exit(77); /* no python */
    }
    waitpid(child, &status, 0);
    CU_ASSERT(WIFEXITED(status) && (WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == 77));
    da_study_free(&s);
}

/* Refused cleanly, or read; never a crash. */
static void test_damaged(void)
{
    char path[128], bad[128];
    size_t size;
    struct dc_error error = {0};
    struct da_study s = invented(10, 2), back;
    CU_ASSERT_EQUAL(da_study_read(file_in(bad, "absent.h5"), &back, &error), DC_ERR_IO);
    da_study_free(&back);
    CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "absent.h5"));
    write_study(&s, file_in(path, "good.h5"));
    char *bytes = slurp(path, &size);
    file_in(bad, "bad.h5");
    for (size_t cut = 0; cut < size; cut += size / 12 + 1) {
        FILE *f = fopen(bad, "wb");
        CU_ASSERT_PTR_NOT_NULL_FATAL(f);
        CU_ASSERT_EQUAL(fwrite(bytes, 1, cut, f), cut);
        fclose(f);
        error = (struct dc_error){0};
        CU_ASSERT_EQUAL(da_study_read(bad, &back, &error), DC_ERR_IO);
        CU_ASSERT(error.text[0] != '\0');
        da_study_free(&back);
    }
    dc_mem_free(bytes);
    da_study_free(&s);
}

/* ---- files that lie -------------------------------------------------------------------------- */

/* An attribute of a hundred values where there is one: nobody has room for them. */
static void lie_many(hid_t file)
{
    hsize_t many = 100;
    uint64_t value[100] = {0};
    hid_t space = H5Screate_simple(1, &many, NULL);
    H5Adelete(file, "design_base");
    hid_t at = H5Acreate2(file, "design_base", H5T_NATIVE_UINT64, space, H5P_DEFAULT, H5P_DEFAULT);
    H5Awrite(at, H5T_NATIVE_UINT64, value);
    H5Aclose(at);
    H5Sclose(space);
}

/* So many rows that (base + 1) * 8 bytes are none. */
static void lie_base(hid_t file)
{
    uint64_t base = ((uint64_t)1 << 61) - 1;
    hid_t at = H5Aopen(file, "design_base", H5P_DEFAULT);
    H5Awrite(at, H5T_NATIVE_UINT64, &base);
    H5Aclose(at);
}

static void lie_long(hid_t file, const char *name, hsize_t size)
{
    hsize_t chunk = 1024;
    hid_t space = H5Screate_simple(1, &size, NULL), list = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_chunk(list, 1, &chunk);
    H5Ldelete(file, name, H5P_DEFAULT);
    H5Dclose(H5Dcreate2(file, name, H5T_IEEE_F32LE, space, H5P_DEFAULT, list, H5P_DEFAULT));
    H5Pclose(list);
    H5Sclose(space);
}

/* points * replications is 2^64, which is 0: then nothing would be read, and looked for. */
static void lie_lengths(hid_t file)
{
    lie_long(file, "point", (hsize_t)1 << 32);
    lie_long(file, "replication", (hsize_t)1 << 32);
}

static void lie_x(hid_t file)
{
    double x[10 * 3] = {[4] = NAN};
    hid_t set = H5Dopen2(file, "x", H5P_DEFAULT);
    H5Dwrite(set, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, x);
    H5Dclose(set);
}

static void lie_link(hid_t file)
{
    H5Ldelete(file, "seed", H5P_DEFAULT);
    H5Lcreate_external("/etc/passwd", "/seed", file, "seed", H5P_DEFAULT, H5P_DEFAULT);
}

static void test_lies(void)
{
    static const struct {
        void (*lie)(hid_t file);
        const char *blamed;
    } cases[] = {{lie_many, "design_base"},
                 {lie_base, "design_base"},
                 {lie_lengths, "point"},
                 {lie_x, "x"},
                 {lie_link, "seed"}};
    char path[128], word[32];
    struct da_study s = invented(10, 2), back;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct dc_error error = {0};
        write_study(&s, file_in(path, "lies.h5"));
        hid_t file = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT);
        cases[i].lie(file);
        H5Fclose(file);
        snprintf(word, sizeof word, "`%s`", cases[i].blamed);
        CU_ASSERT_EQUAL(da_study_read(path, &back, &error), DC_ERR_IO);
        CU_ASSERT_PTR_NOT_NULL(strstr(error.text, word));
        da_study_free(&back);
    }
    da_study_free(&s);
}

/* Whatever request for memory fails, it is refused; in a child: HDF5 keeps what it had. */
static void test_memory(void)
{
    char path[128];
    struct da_study s = invented(10, 2), back;
    write_study(&s, file_in(path, "memory.h5"));
    for (uint64_t budget = 0; budget < 60; budget++) {
        struct dc_error error = {0};
        dc_mem_budget(budget);
        enum dc_status status = da_study_read(path, &back, &error);
        dc_mem_budget(UINT64_MAX);
        if (status == DC_OK)
            compare(&s, &back);
        else
            CU_ASSERT(status == DC_ERR_IO && error.text[0] != '\0');
        da_study_free(&back);
    }
    da_study_free(&s);
}

/* A file may not grow past a limit, as on a full disk: said, and nothing is left. */
static void test_full_disk(void)
{
    char path[128], partial[160];
    struct stat there;
    struct da_study s = invented(3000, 10);
    struct rlimit old, little = {64 << 10, RLIM_INFINITY};
    struct dc_error error = {0};
    file_in(path, "full.h5");
    snprintf(partial, sizeof partial, "%s.partial", path);
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &old);
    little.rlim_max = old.rlim_max;
    setrlimit(RLIMIT_FSIZE, &little);
    enum dc_status status = ds_study_write(&s, path, &error);
    setrlimit(RLIMIT_FSIZE, &old);
    CU_ASSERT_EQUAL(status, DC_ERR_IO);
    CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "full.h5"));
    CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "File too large"));
    CU_ASSERT(stat(path, &there) != 0 && stat(partial, &there) != 0);
    write_study(&s, path); /* and later there is room */
    error = (struct dc_error){0};
    CU_ASSERT_EQUAL(ds_study_write(&s, "/nowhere/at/all.h5", &error), DC_ERR_IO);
    CU_ASSERT(error.text[0] != '\0');
    da_study_free(&s);
}

int main(void)
{
    static const struct test_case cases[] = {
        {"what is written is read back exactly", test_round_trip},
        {"a study without failures, goals and lists", test_little},
        {"the same struct gives the same bytes", test_same_bytes},
        {"every tool opens it", test_every_tool_opens_it},
        {"a damaged file is refused", test_damaged},
        {"so is one that claims what is not so", test_lies},
        {"reading with any request for memory refused", test_memory},
        {"a full disk is said, and leaves nothing", test_full_disk},
    };
    if (mkdtemp(folder) == NULL)
        return 1;
    int code = TEST_MAIN("record/study", cases);
    char command[64];
    snprintf(command, sizeof command, "rm -rf %s", folder);
    return system(command) != 0 ? 1 : code;
}
