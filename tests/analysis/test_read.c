/* Results back as arrays: what was written is what is read, and a file that was cut, changed or made
 * to mislead is refused or read in part, never a crash. */
#include "analysis/read.h"

#include "tests/record/synthetic.h"
#include "tests/support/harness.h"

#include <hdf5.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const struct synthetic small = {.nodes = 12,
                                       .epochs = 3,
                                       .blocks = 20,
                                       .challenges = 30,
                                       .events = 0,
                                       .scenario = SCENARIO_TEXT,
                                       .build = "gcc 12",
                                       .seed = 7,
                                       .touch_table = -1,
                                       .complete = true};

static char path[64], other[64];

static void written(void)
{
    struct synthetic s = small;
    struct dc_error error = {0};
    snprintf(path, sizeof path, "/tmp/destra-read-%d.h5", (int)getpid());
    snprintf(other, sizeof other, "/tmp/destra-read-%d-x.h5", (int)getpid());
    s.path = path;
    CU_ASSERT_EQUAL_FATAL(synthetic_write(&s, NULL, &error), DC_OK);
}

static void gone(void)
{
    unlink(path);
    unlink(other);
}

static void test_values(void)
{
    struct da_file *f;
    struct dc_error error = {0};
    size_t count;
    written();
    CU_ASSERT_EQUAL_FATAL(da_file_open(path, &f, &error), DC_OK);
    CU_ASSERT_EQUAL(da_file_kind(f), DA_FILE_RUN);
    CU_ASSERT_STRING_EQUAL(da_file_text(f, "/", "scenario"), SCENARIO_TEXT);
    CU_ASSERT_STRING_EQUAL(da_file_text(f, "/blocks/bytes", "units"), "By");
    CU_ASSERT_PTR_NULL(da_file_text(f, "/", "nothing"));
    CU_ASSERT_PTR_NULL(da_file_text(f, "/nothing/there", "units"));
    CU_ASSERT_EQUAL(da_file_number(f, "seed", 0), 7);
    CU_ASSERT_EQUAL(da_file_number(f, "complete", 9), 1);
    CU_ASSERT_EQUAL(da_file_number(f, "nothing", 9), 9);
    CU_ASSERT_EQUAL(da_file_number(f, "scenario", 9), 9);
    struct da_array a = da_file_array(f, "/blocks/height");
    CU_ASSERT_EQUAL_FATAL(a.count, small.blocks);
    for (size_t i = 0; i < a.count; i++)
        CU_ASSERT_EQUAL(a.value[i], (double)i + 1);
    a = da_file_array(f, "/node_epoch/bond");
    CU_ASSERT_TRUE_FATAL(a.rank == 2 && a.size[0] == small.epochs && a.size[1] == small.nodes);
    CU_ASSERT_EQUAL(a.value[2 * a.size[1] + 5], (double)synthetic_value(130, 2, 5));
    CU_ASSERT_PTR_EQUAL(da_file_array(f, "/node_epoch/bond").value, a.value);
    a = da_file_array(f, "/summary/finality_latency.p99");
    CU_ASSERT_TRUE(a.rank == 0 && a.count == 1 && a.value[0] == 1.25);
    CU_ASSERT_TRUE(isnan(da_file_array(f, "/summary/undefined").value[0]));
    CU_ASSERT_EQUAL(da_file_array(f, "/summary/margin").value[0], -5);
    CU_ASSERT_PTR_NULL(da_file_array(f, "/faults/id").value); /* no numbers */
    CU_ASSERT_PTR_NULL(da_file_array(f, "/blocks").value);
    CU_ASSERT_PTR_NULL(da_file_array(f, "").value);
    const char *const *text = da_file_strings(f, "/node_name", &count);
    CU_ASSERT_EQUAL_FATAL(count, small.nodes);
    CU_ASSERT_STRING_EQUAL(text[11], "sto[11]");
    CU_ASSERT_PTR_NULL(da_file_strings(f, "/blocks/height", &count));
    CU_ASSERT_EQUAL(count, 0);
    text = da_file_words(f, "/node_epoch/strategy", &count);
    CU_ASSERT_EQUAL_FATAL(count, 4);
    CU_ASSERT_STRING_EQUAL(text[2], "partial(0.3)");
    text = da_file_names(f, "/summary", &count);
    CU_ASSERT_EQUAL_FATAL(count, 4);
    CU_ASSERT_STRING_EQUAL(text[0], "finality_latency.p99"); /* in the order of writing */
    CU_ASSERT_STRING_EQUAL(text[2], "margin");
    CU_ASSERT_PTR_NULL(da_file_names(f, "/node_name", &count));
    da_file_close(f);
    da_file_close(NULL);
    gone();
}

static void refused(const char *file, const char *word)
{
    struct da_file *f;
    struct dc_error error = {0};
    CU_ASSERT_EQUAL(da_file_open(file, &f, &error), DC_ERR_IO);
    CU_ASSERT_PTR_NULL(f);
    CU_ASSERT_PTR_NOT_NULL(strstr(error.text, word));
}

static void put(const char *file, const void *bytes, size_t size)
{
    FILE *to = fopen(file, "wb");
    CU_ASSERT_PTR_NOT_NULL_FATAL(to);
    CU_ASSERT_EQUAL(fwrite(bytes, 1, size, to), size);
    fclose(to);
}

static void test_refused(void)
{
    written();
    refused("/nonexistent/x.h5", "No such file");
    refused("/tmp", "directory");
    put(other, "no HDF5 at all", 14);
    refused(other, "not a results file");
    put(other, "", 0);
    refused(other, "not a results file");
    hid_t file = H5Fcreate(other, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    H5Fclose(file);
    refused(other, "neither");
    gone();
}

/* A dataset that claims more than any file holds, one whose bytes lie in another file, and links
 * that lead out of this one: none is followed. */
static void test_misleading(void)
{
    written();
    hid_t file = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT);
    hsize_t size = (hsize_t)1 << 40, chunk = 1 << 16, few = 4;
    hid_t space = H5Screate_simple(1, &size, NULL), list = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_chunk(list, 1, &chunk);
    H5Dclose(H5Dcreate2(file, "huge", H5T_STD_U8LE, space, H5P_DEFAULT, list, H5P_DEFAULT));
    H5Sclose(space);
    H5Pclose(list);
    list = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_external(list, "/etc/hostname", 0, 4);
    space = H5Screate_simple(1, &few, NULL);
    H5Dclose(H5Dcreate2(file, "outside", H5T_STD_U8LE, space, H5P_DEFAULT, list, H5P_DEFAULT));
    H5Lcreate_soft("/blocks/height", file, "soft", H5P_DEFAULT, H5P_DEFAULT);
    H5Lcreate_external("/etc/passwd", "/x", file, "external", H5P_DEFAULT, H5P_DEFAULT);
    H5Lcreate_hard(file, "/", file, "loop", H5P_DEFAULT, H5P_DEFAULT);
    H5Sclose(space);
    H5Pclose(list);
    H5Fclose(file);
    struct da_file *f;
    struct dc_error error = {0};
    size_t count;
    CU_ASSERT_EQUAL_FATAL(da_file_open(path, &f, &error), DC_OK);
    CU_ASSERT_PTR_NULL(da_file_array(f, "/huge").value);
    CU_ASSERT_PTR_NULL(da_file_array(f, "/outside").value);
    CU_ASSERT_PTR_NULL(da_file_array(f, "/soft").value);
    CU_ASSERT_PTR_NULL(da_file_array(f, "/external").value);
    CU_ASSERT_PTR_NOT_NULL(da_file_strings(f, "/loop/node_name", &count));
    CU_ASSERT_PTR_NULL(da_file_array(f, "/loop/loop/blocks/height").value); /* no end */
    da_file_close(f);
    gone();
}

/* Everything that anybody could ask of a file. */
static void read_all(const char *file)
{
    static const char *const groups[] = {"/",           "/epochs", "/node_epoch", "/blocks",
                                         "/challenges", "/faults", "/traffic",    "/digest",
                                         "/inputs",     "/summary"};
    struct da_file *f;
    struct dc_error error = {0};
    if (da_file_open(file, &f, &error) != DC_OK)
        _exit(error.text[0] == '\0');
    volatile double sum = 0;
    for (size_t g = 0; g < sizeof groups / sizeof groups[0]; g++) {
        size_t count, n;
        const char *const *name = da_file_names(f, groups[g], &count);
        for (size_t i = 0; i < count; i++) {
            char dataset[600];
            snprintf(dataset, sizeof dataset, "%s/%s", g == 0 ? "" : groups[g], name[i]);
            struct da_array a = da_file_array(f, dataset);
            for (size_t k = 0; k < a.count; k++)
                sum += a.value[k];
            const char *const *text = da_file_strings(f, dataset, &n);
            for (size_t k = 0; k < n; k++)
                sum += (double)strlen(text[k]);
            (void)da_file_words(f, dataset, &n);
        }
    }
    da_file_close(f);
    _exit(isinf(sum) && error.text[0] != '\0'); /* the sum is used, or nothing need be read */
}

/* How a process ends that reads it; it may take half a minute. */
static int survives(const char *file)
{
    pid_t child = fork();
    if (child == 0) {
        alarm(30);
        read_all(file);
    }
    int status = -1;
    waitpid(child, &status, 0);
    return status;
}

static char *content(const char *file, size_t *size)
{
    FILE *from = fopen(file, "rb");
    struct stat info;
    CU_ASSERT_TRUE_FATAL(from != NULL && fstat(fileno(from), &info) == 0);
    *size = (size_t)info.st_size;
    char *bytes = malloc(*size);
    CU_ASSERT_TRUE_FATAL(bytes != NULL && fread(bytes, 1, *size, from) == *size);
    fclose(from);
    return bytes;
}

static void test_cut(void)
{
    size_t size;
    written();
    char *bytes = content(path, &size);
    for (size_t i = 1; i < 20; i++) {
        put(other, bytes, size * i / 20);
        CU_ASSERT_EQUAL(survives(other), 0);
    }
    free(bytes);
    gone();
}

static void test_flipped(void)
{
    size_t size;
    const char *more = getenv("DESTRA_FLIPS");
    uint64_t flips = more != NULL ? strtoull(more, NULL, 10) : 50, state = 88172645463325252u;
    written();
    char *bytes = content(path, &size);
    for (uint64_t i = 0; i < flips; i++) {
        size_t at[8];
        char old[8];
        size_t n = 1 + i % 8;
        for (size_t k = 0; k < n; k++) {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            at[k] = state % size;
            old[k] = bytes[at[k]];
            bytes[at[k]] = (char)(state >> 32);
        }
        put(other, bytes, size);
        int status = survives(other);
        CU_ASSERT_EQUAL(status, 0);
        if (status != 0)
            fprintf(stderr, "flip %llu: status %d\n", (unsigned long long)i, status);
        while (n-- > 0)
            bytes[at[n]] = old[n];
    }
    free(bytes);
    gone();
}

int main(void)
{
    static const struct test_case cases[] = {{"values", test_values},
                                             {"refused", test_refused},
                                             {"misleading", test_misleading},
                                             {"cut", test_cut},
                                             {"flipped", test_flipped}};
    return TEST_MAIN("analysis/read", cases);
}
