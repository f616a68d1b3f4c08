/* The folder of a sweep; see cmd_sweep.h.
 *
 * Locks are of bytes of one file (fcntl): a sweep holds those of its points as long as it
 * lives, so that two that overlap in any way, shards or not, never write the same run's file;
 * the kernel gives them back when it dies.  Where a file system has no locks, nothing is held,
 * and nothing refused. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "sim/cmd_sweep.h"

char *ds_sweep_path(const struct ds_sweep *s, size_t point, uint32_t replication,
                    const char *ending)
{
    size_t size = strlen(s->folder) + strlen(ending) + 64;
    char *path = dc_mem_need(size, 1, "the path of a run");
    snprintf(path, size, "%s/runs/p%05zu-r%03u%s", s->folder, point, replication, ending);
    return path;
}

/* ---- locks ----------------------------------------------------------------------------------- */

/* 0; EAGAIN: somebody else has one of them. */
static int lock_bytes(const struct ds_sweep *s, off_t first, off_t count, short type, bool wait)
{
    struct flock lock = {.l_type = type, .l_whence = SEEK_SET, .l_start = first, .l_len = count};
    int result;
    do
        result = fcntl(s->lock, wait ? F_SETLKW : F_SETLK, &lock);
    while (result != 0 && errno == EINTR && ds_cmd_caught() == 0);
    if (result == 0)
        return 0;
    return errno == EACCES ? EAGAIN : errno;
}

bool ds_sweep_lock_merge(struct ds_sweep *s)
{
    return lock_bytes(s, 0, 1, F_WRLCK, true) == 0;
}

void ds_sweep_unlock(struct ds_sweep *s)
{
    (void)lock_bytes(s, 0, 1, F_UNLCK, false);
}

static int lock_points(struct ds_sweep *s)
{
    int result = 0;
    if (s->shards == 1)
        result = lock_bytes(s, 1, (off_t)s->study.points, F_WRLCK, false);
    for (size_t p = s->shard; s->shards > 1 && p < s->study.points && result == 0; p += s->shards)
        result = lock_bytes(s, 1 + (off_t)p, 1, F_WRLCK, false);
    if (result != EAGAIN)
        return DS_EXIT_FINE;
    return ds_cmd_usage(
        "%s: another sweep is at work on the same points there: wait for it, or end "
        "it",
        s->folder);
}

/* ---- whose it is ----------------------------------------------------------------------------- */

char *ds_sweep_slurp(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return NULL;
    struct dc_text text = {0};
    char bytes[4096];
    size_t n;
    while ((n = fread(bytes, 1, sizeof bytes, file)) > 0)
        dc_text_put(&text, bytes, n);
    bool good = !ferror(file) && !text.failed;
    fclose(file);
    if (good)
        return text.data != NULL ? text.data : dc_mem_alloc(1, 1);
    dc_text_free(&text);
    return NULL;
}

static int other_identity(const struct ds_sweep *s, const char *there)
{
    const char *here = s->identity.data;
    size_t line = strcspn(here, "\n"), old = strcspn(there, "\n");
    if (strcmp(here + line, there + old) == 0)
        return ds_cmd_usage("%s: was begun by another build of the program (%.*s; this is %s): its "
                            "runs cannot be mixed; name another folder with -o",
                            s->folder, (int)(old > 2 ? old - 2 : 0), old > 2 ? there + 2 : "?",
                            s->version);
    return ds_cmd_usage("%s: holds another study, or the study or its scenario has changed since "
                        "(compare %s/study.yaml): name another folder with -o",
                        s->folder, s->folder);
}

/* study.yaml is made by whoever comes first, or must be the same. */
static int check_identity(struct ds_sweep *s)
{
    struct dc_text path = {0};
    struct dc_error error = {0};
    int code = DS_EXIT_FINE;
    dc_text_printf(&path, "%s/study.yaml", s->folder);
    if (path.failed)
        return ds_cmd_failed(dc_error_set(&error, DC_ERR_IO, "out of memory"), &error);
    (void)ds_sweep_lock_merge(s);
    char *there = ds_sweep_slurp(path.data);
    if (there != NULL && strcmp(there, s->identity.data) != 0)
        code = other_identity(s, there);
    else if (there == NULL && access(path.data, F_OK) == 0)
        code = ds_cmd_failed(dc_error_set(&error, DC_ERR_IO,
                                          "%s: cannot be read: name another folder with -o",
                                          path.data),
                             &error);
    else if (there == NULL) {
        enum dc_status status = ds_cmd_write(path.data, &s->identity, &error);
        code = status == DC_OK ? DS_EXIT_FINE : ds_cmd_failed(status, &error);
    }
    ds_sweep_unlock(s);
    dc_mem_free(there);
    dc_text_free(&path);
    return code;
}

static bool exists(const struct ds_sweep *s, size_t point, uint32_t replication, const char *ending)
{
    char *path = ds_sweep_path(s, point, replication, ending);
    bool yes = access(path, F_OK) == 0;
    dc_mem_free(path);
    return yes;
}

/* Without --resume, none of our points may have a run; with it, what dead runs left goes. */
static int check_runs(struct ds_sweep *s)
{
    for (size_t p = s->shard; p < s->study.points; p += s->shards)
        for (uint32_t r = 0; r < s->study.replications.most; r++) {
            if (!s->resume && (exists(s, p, r, ".h5") || exists(s, p, r, ".failed")))
                return ds_cmd_usage("%s: holds runs of this study already: add --resume to go on "
                                    "from there, or name another folder with -o",
                                    s->folder);
            char *path = ds_sweep_path(s, p, r, ".h5");
            ds_runs_remove_partial(path);
            dc_mem_free(path);
        }
    return DS_EXIT_FINE;
}

static int open_lock(struct ds_sweep *s)
{
    struct dc_text path = {0};
    dc_text_printf(&path, "%s/.lock", s->folder);
    s->lock = path.failed ? -1 : open(path.data, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    dc_text_free(&path);
    if (s->lock >= 0)
        return DS_EXIT_FINE;
    ds_cmd_usage("%s/.lock: %s: name another folder with -o", s->folder, strerror(errno));
    return DS_EXIT_IO;
}

int ds_sweep_folder(struct ds_sweep *s)
{
    struct dc_text runs = {0};
    dc_text_printf(&runs, "%s/runs", s->folder);
    int code = ds_cmd_folder(s->folder);
    if (code == DS_EXIT_FINE)
        code = open_lock(s);
    if (code == DS_EXIT_FINE)
        code = check_identity(s);
    if (code == DS_EXIT_FINE)
        code = ds_cmd_folder(runs.data != NULL ? runs.data : "");
    if (code == DS_EXIT_FINE)
        code = lock_points(s);
    if (code == DS_EXIT_FINE)
        code = check_runs(s);
    dc_text_free(&runs);
    return code;
}
