/* A rehearsal of reading: HDF5 1.10 trusts sizes in a file's heaps and frees what it never set when
 * an index is damaged, so a changed byte may end the process.  It ends this one, which reads all
 * that its parent could ask for and says nothing:
 *
 *     parent --fork--> child: every attribute, array and string --exit code--> it opens the file
 *
 * That is twice the reading, a tenth of a second for a file of ten megabytes. */
#include "analysis/read_file.h"

#include <errno.h>
#include <fcntl.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PATH_BYTES = 520, ATTRIBUTES_MAX = 1000, CPU_S = 4, BYTES_PER_S = 5000000 };

static void read_attributes(struct da_file *f, const char *object)
{
    char name[256];
    hid_t at = da_file_object(f, object);
    int count = at < 0 ? 0 : H5Aget_num_attrs(at);
    for (int i = 0; i < count && i < ATTRIBUTES_MAX; i++) {
        ssize_t size = H5Aget_name_by_idx(at, ".", H5_INDEX_NAME, H5_ITER_INC, (hsize_t)i, name,
                                          sizeof name, H5P_DEFAULT);
        if (size <= 0 || (size_t)size >= sizeof name)
            continue;
        (void)da_file_text_of(f, at, name);
        if (strcmp(object, "/") == 0)
            (void)da_file_number(f, name, 0);
    }
    H5Oclose(at);
}

/* group: "" is the root. */
static void read_group(struct da_file *f, const char *group)
{
    char path[PATH_BYTES];
    size_t count, n;
    const char *const *name =
        da_file_members(f, group[0] == '\0' ? "/" : group, H5I_DATASET, &count);
    struct dc_arena names = f->memory;
    f->memory = (struct dc_arena){0};
    read_attributes(f, group[0] == '\0' ? "/" : group);
    for (size_t i = 0; i < count; i++) {
        if ((size_t)snprintf(path, sizeof path, "%s/%s", group, name[i]) >= sizeof path)
            continue;
        read_attributes(f, path);
        (void)da_file_array(f, path);
        (void)da_file_strings(f, path, &n);
        da_file_forget(f);
    }
    da_file_forget(f);
    f->memory = names;
}

static void read_all(const char *path)
{
    size_t count;
    struct da_file *f = da_file_begin(path);
    if (f == NULL)
        return;
    const char *const *group = da_file_members(f, "/", H5I_GROUP, &count);
    read_group(f, "");
    for (size_t i = 0; i < count; i++) {
        char name[PATH_BYTES];
        if ((size_t)snprintf(name, sizeof name, "/%s", group[i]) < sizeof name)
            read_group(f, name);
    }
    da_file_close(f);
}

static _Noreturn void child(const char *path, void (*read)(const char *path))
{
    struct stat info;
    rlim_t seconds = CPU_S;
    if (stat(path, &info) == 0 && info.st_size > 0)
        seconds += (rlim_t)(info.st_size / BYTES_PER_S);
    struct rlimit none = {0, 0}, cpu = {seconds, seconds};
    setrlimit(RLIMIT_CORE, &none);
    setrlimit(RLIMIT_CPU, &cpu);
#ifdef __GLIBC__
    mallopt(M_PERTURB, 0x5a); /* what was never set is no NULL by luck */
#endif
    int nowhere = open("/dev/null", O_WRONLY); /* what a library says when it aborts */
    if (nowhere >= 0) {
        dup2(nowhere, 1);
        dup2(nowhere, 2);
    }
    read(path);
    _exit(0);
}

bool da_file_rehearse_with(const char *path, void (*read)(const char *path))
{
    int status = -1;
    pid_t pid = fork();
    if (pid == 0)
        child(path, read);
    if (pid < 0)
        return false;
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return false;
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

bool da_file_rehearse(const char *path)
{
    return da_file_rehearse_with(path, read_all);
}
