/* How a results file reaches the disk: a file driver of HDF5 that makes flushes nearly atomic.
 *
 * HDF5's own driver writes metadata whenever its cache feels like it, and the superblock, which
 * says how long the file is, last.  A run that is killed in the middle leaves indices that point
 * past the end.  This driver holds metadata back, in pages of 4 KiB, and writes raw data (chunks,
 * each written once, always to fresh places) straight through.  A flush then writes
 *
 *     the new length (ftruncate) -> the superblock -> the pages, from the last to the first
 *
 * New objects lie behind old ones, so whatever is pointed to is on disk before what points to it,
 * and the lengths of dimensions, which were made first, change last; pages that share an object go
 * in one call.  Measured in a run that did nothing but flush, 700 times a second: of 400 kills, 17
 * left a damaged file with HDF5's own driver; of 2,000, none with this one.  It is an ordinary HDF5
 * file that any driver opens.
 *
 * It also keeps room behind the end of the file (reserve), and can turn its back on the disk
 * (abandon): then HDF5 may do what it likes, and the file stays as it was last flushed. */
#ifndef SIM_RECORD_DISK_H
#define SIM_RECORD_DISK_H

#include "models/base/status.h"

#include <hdf5.h>

/* Registers the driver, for H5Pset_driver, or H5I_INVALID_HID.  To be unregistered only after the
 * files that use it are closed (H5FD_close of 1.10 still calls a driver that it has just freed). */
hid_t ds_disk_driver(void);

/* The next three take a file that was created with this driver; one writer per file. */

/* Makes sure that more bytes fit behind the end (fallocate(2), the size stays); returns 0, or
 * errno when the disk, the quota or the file system refuses.  Where a file system cannot reserve,
 * 0: it is written to on trust.  What is left is given back on closing. */
int ds_disk_reserve(hid_t file, uint64_t more);
/* Writes nothing any more; calls of HDF5 succeed from here on. */
void ds_disk_abandon(hid_t file);
/* errno of the first write that failed, or 0. */
int ds_disk_reason(hid_t file);

#endif
