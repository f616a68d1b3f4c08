/* The driver; see disk.h.  Layout: a sorted array of the pages that differ from the disk.
 *
 *     pages   [index 0 | 1 | 4 | 9 ...]  ->  4096 bytes each, read from the file at first touch
 *
 * Reads go to the file and are overlaid with pages; a flush empties the array. */
#define _GNU_SOURCE /* fallocate, pwritev */
#include "sim/record/disk.h"

#include "models/base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define PAGE ((haddr_t)4096)
#define RUN ((size_t)64)
#define SUPERBLOCK_BYTES ((size_t)48) /* version 2: HDF5 file format, II.A */

struct page {
    haddr_t index;
    uint8_t *bytes;
    bool joined; /* an object reaches from here into the next page */
};

struct disk {
    H5FD_t pub; /* first: HDF5's part */
    int descriptor, reason;
    bool abandoned;
    haddr_t eoa, eof;
    struct page *pages;
    size_t count, max;
};

static herr_t failed(struct disk *d)
{
    if (d->reason == 0)
        d->reason = errno == 0 ? EIO : errno;
    return -1;
}

static bool write_all(struct disk *d, haddr_t address, size_t size, const uint8_t *from)
{
    while (size > 0 && !d->abandoned) {
        ssize_t n = pwrite(d->descriptor, from, size, (off_t)address);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        from += n;
        address += (haddr_t)n;
        size -= (size_t)n;
    }
    return true;
}

/* Beyond the end of the file there are zeros. */
static bool read_all(struct disk *d, haddr_t address, size_t size, uint8_t *to)
{
    while (size > 0) {
        ssize_t n = pread(d->descriptor, to, size, (off_t)address);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return false;
        if (n == 0) {
            memset(to, 0, size);
            return true;
        }
        to += n;
        address += (haddr_t)n;
        size -= (size_t)n;
    }
    return true;
}

/* Position of the first page at or behind index. */
static size_t search(const struct disk *d, haddr_t index)
{
    size_t low = 0, high = d->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (d->pages[middle].index < index)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static struct page *page_at(struct disk *d, haddr_t index)
{
    size_t at = search(d, index);
    if (at < d->count && d->pages[at].index == index)
        return &d->pages[at];
    if (d->count == d->max) {
        struct page *grown = dc_mem_grow(d->pages, d->max * 2 + 64, sizeof *grown);
        if (grown == NULL)
            return NULL;
        d->pages = grown;
        d->max = d->max * 2 + 64;
    }
    uint8_t *bytes = dc_mem_alloc(1, PAGE);
    if (bytes == NULL || !read_all(d, index * PAGE, PAGE, bytes)) {
        dc_mem_free(bytes);
        return NULL;
    }
    memmove(&d->pages[at + 1], &d->pages[at], (d->count - at) * sizeof *d->pages);
    d->pages[at] = (struct page){index, bytes, false};
    d->count++;
    return &d->pages[at];
}

static void drop_pages(struct disk *d)
{
    for (size_t i = 0; i < d->count; i++)
        dc_mem_free(d->pages[i].bytes);
    d->count = 0;
}

/* Pages that share objects go in one call, so that a kill cannot fall between them. */
static bool write_run(struct disk *d, const struct page *pages, size_t count)
{
    struct iovec parts[RUN];
    size_t wanted = 0;
    for (size_t i = 0; i < count; i++) {
        haddr_t begin = pages[i].index * PAGE;
        size_t size = (size_t)(begin >= d->eoa ? 0 : d->eoa - begin < PAGE ? d->eoa - begin : PAGE);
        parts[i] = (struct iovec){pages[i].bytes, size};
        wanted += size;
    }
    ssize_t n = pwritev(d->descriptor, parts, (int)count, (off_t)(pages[0].index * PAGE));
    if (n == (ssize_t)wanted)
        return true;
    for (size_t i = 0; i < count; i++) /* once more, to the last byte or the reason */
        if (!write_all(d, pages[i].index * PAGE, parts[i].iov_len, pages[i].bytes))
            return false;
    return true;
}

static bool write_pages(struct disk *d)
{
    if (d->count == 0 || d->abandoned)
        return true;
    if (d->pages[0].index == 0 && !write_all(d, 0, SUPERBLOCK_BYTES, d->pages[0].bytes))
        return false;
    for (size_t i = d->count; i-- > 0;) {
        size_t last = i;
        while (i > 0 && last - i + 1 < RUN && d->pages[i - 1].joined)
            i--;
        if (!write_run(d, &d->pages[i], last - i + 1))
            return false;
    }
    drop_pages(d);
    return true;
}

static H5FD_t *disk_open(const char *name, unsigned flags, hid_t fapl, haddr_t maxaddr)
{
    (void)fapl;
    (void)maxaddr;
    int mode = (flags & H5F_ACC_RDWR ? O_RDWR : O_RDONLY) | (flags & H5F_ACC_CREAT ? O_CREAT : 0) |
               (flags & H5F_ACC_TRUNC ? O_TRUNC : 0);
    int descriptor = open(name, mode | O_CLOEXEC, 0666);
    struct stat s;
    if (descriptor < 0)
        return NULL;
    struct disk *d = fstat(descriptor, &s) == 0 ? dc_mem_alloc(1, sizeof *d) : NULL;
    if (d == NULL) {
        close(descriptor);
        return NULL;
    }
    d->descriptor = descriptor;
    d->eof = (haddr_t)s.st_size;
    return &d->pub;
}

/* The end: pages that the last flush did not cover, and the room that was reserved. */
static herr_t disk_close(H5FD_t *file)
{
    struct disk *d = (struct disk *)file;
    struct stat s;
    bool ok = write_pages(d);
    if (fstat(d->descriptor, &s) == 0 && ftruncate(d->descriptor, s.st_size) != 0)
        ok = ok && d->abandoned; /* the room stays reserved: harmless */
    ok = close(d->descriptor) == 0 && ok;
    drop_pages(d);
    dc_mem_free(d->pages);
    dc_mem_free(d);
    return ok ? 0 : -1;
}

static int disk_compare(const H5FD_t *a, const H5FD_t *b)
{
    struct stat sa = {0}, sb = {0};
    (void)fstat(((const struct disk *)a)->descriptor, &sa);
    (void)fstat(((const struct disk *)b)->descriptor, &sb);
    if (sa.st_dev != sb.st_dev)
        return sa.st_dev < sb.st_dev ? -1 : 1;
    return sa.st_ino < sb.st_ino ? -1 : sa.st_ino > sb.st_ino;
}

static herr_t disk_query(const H5FD_t *file, unsigned long *flags)
{
    (void)file;
    *flags = H5FD_FEAT_AGGREGATE_METADATA | H5FD_FEAT_AGGREGATE_SMALLDATA |
             H5FD_FEAT_DEFAULT_VFD_COMPATIBLE;
    return 0;
}

static haddr_t disk_get_eoa(const H5FD_t *file, H5FD_mem_t type)
{
    (void)type;
    return ((const struct disk *)file)->eoa;
}

static herr_t disk_set_eoa(H5FD_t *file, H5FD_mem_t type, haddr_t address)
{
    (void)type;
    ((struct disk *)file)->eoa = address;
    return 0;
}

static haddr_t disk_get_eof(const H5FD_t *file, H5FD_mem_t type)
{
    (void)type;
    return ((const struct disk *)file)->eof;
}

static herr_t disk_get_handle(H5FD_t *file, hid_t fapl, void **handle)
{
    (void)fapl;
    *handle = file;
    return 0;
}

static herr_t disk_read(H5FD_t *file, H5FD_mem_t type, hid_t dxpl, haddr_t address, size_t size,
                        void *buffer)
{
    (void)type;
    (void)dxpl;
    struct disk *d = (struct disk *)file;
    uint8_t *to = buffer;
    errno = 0;
    if (!read_all(d, address, size, to))
        return failed(d);
    for (size_t i = search(d, address / PAGE);
         i < d->count && d->pages[i].index * PAGE < address + size; i++) {
        haddr_t begin = d->pages[i].index * PAGE, end = begin + PAGE;
        haddr_t from = begin > address ? begin : address,
                until = end < address + size ? end : address + size;
        memcpy(to + (from - address), d->pages[i].bytes + (from - begin), until - from);
    }
    return 0;
}

static herr_t disk_write(H5FD_t *file, H5FD_mem_t type, hid_t dxpl, haddr_t address, size_t size,
                         const void *buffer)
{
    (void)dxpl;
    struct disk *d = (struct disk *)file;
    const uint8_t *from = buffer;
    errno = 0;
    if (type == H5FD_MEM_DRAW && !write_all(d, address, size, from))
        return failed(d);
    if (address + size > d->eof)
        d->eof = address + size;
    for (haddr_t a = address; a < address + size;) {
        haddr_t index = a / PAGE, end = (index + 1) * PAGE;
        size_t n = (size_t)((end < address + size ? end : address + size) - a);
        size_t at = search(d, index);
        bool there = at < d->count && d->pages[at].index == index;
        struct page *page = type == H5FD_MEM_DRAW && !there ? NULL : page_at(d, index);
        if (page != NULL) {
            memcpy(page->bytes + a % PAGE, from + (a - address), n);
            page->joined |= end < address + size && type != H5FD_MEM_DRAW;
        } else if (type != H5FD_MEM_DRAW)
            return failed(d);
        a += n;
    }
    return 0;
}

static herr_t disk_flush(H5FD_t *file, hid_t dxpl, hbool_t closing)
{
    (void)dxpl;
    (void)closing;
    struct disk *d = (struct disk *)file;
    errno = 0;
    return write_pages(d) ? 0 : failed(d);
}

/* Called before a flush, and at the end.  Growing goes before the pages, shrinking after them. */
static herr_t disk_truncate(H5FD_t *file, hid_t dxpl, hbool_t closing)
{
    (void)dxpl;
    (void)closing;
    struct disk *d = (struct disk *)file;
    struct stat s;
    errno = 0;
    if (!d->abandoned) {
        if (fstat(d->descriptor, &s) != 0)
            return failed(d);
        if ((haddr_t)s.st_size > d->eoa && !write_pages(d))
            return failed(d);
        if ((haddr_t)s.st_size != d->eoa && ftruncate(d->descriptor, (off_t)d->eoa) != 0)
            return failed(d);
    }
    d->eof = d->eoa;
    return 0;
}

static const H5FD_class_t disk_class = {
    .name = "destrasim",
    .maxaddr = INT64_MAX,
    .fc_degree = H5F_CLOSE_STRONG,
    .open = disk_open,
    .close = disk_close,
    .cmp = disk_compare,
    .query = disk_query,
    .get_eoa = disk_get_eoa,
    .set_eoa = disk_set_eoa,
    .get_eof = disk_get_eof,
    .get_handle = disk_get_handle,
    .read = disk_read,
    .write = disk_write,
    .flush = disk_flush,
    .truncate = disk_truncate,
    .fl_map = H5FD_FLMAP_DICHOTOMY,
};

hid_t ds_disk_driver(void)
{
    return H5FDregister(&disk_class);
}

static struct disk *disk_of(hid_t file)
{
    void *handle = NULL;
    DC_CHECK(H5Fget_vfd_handle(file, H5P_DEFAULT, &handle) >= 0 && handle != NULL);
    return handle;
}

int ds_disk_reserve(hid_t file, uint64_t more)
{
    struct disk *d = disk_of(file);
    haddr_t end = d->eoa > d->eof ? d->eoa : d->eof;
    int result;
    do
        result = fallocate(d->descriptor, FALLOC_FL_KEEP_SIZE, (off_t)end, (off_t)more);
    while (result != 0 && errno == EINTR);
    return result == 0 || (errno != ENOSPC && errno != EDQUOT && errno != EFBIG) ? 0 : errno;
}

void ds_disk_abandon(hid_t file)
{
    disk_of(file)->abandoned = true;
}

int ds_disk_reason(hid_t file)
{
    return disk_of(file)->reason;
}
