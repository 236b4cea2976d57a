/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Records of the kernel's log. The loop that reads them is internal to its source file, so include that. */
#include "fuzz.h"

#include <string.h>
#include <sys/mman.h>

#include "base/pciaddr.h"
#include "daemon/kernel-log.c" /* NOLINT(bugprone-suspicious-include) */

static void
on_found(const VgpuXidRecord *record, gpointer opaque)
{
    g_autofree char *function = g_strconcat(record->slot, ".0", NULL);
    g_autofree char *canonical = vgpu_pciaddr_canonical(function);

    FUZZ_CHECK(g_strcmp0(function, canonical) == 0, "%s", record->slot);
    FUZZ_CHECK(record->xid && record->text, "a record of nothing");
    ++*(guint *) opaque;
}

/* Do not store the position. */
static bool
is_kept(gpointer opaque)
{
    (void) opaque;
    return false;
}

/* Parse the input as one record, without the loop. */
static guint
count(const guint8 *data, gsize size)
{
    g_autofree char *text = fuzz_text(data, size);
    guint n = 0;

    for (const char *at = text; strchr(at, '\n');) {
        g_autofree char *line = fuzz_line(&at);
        VgpuXidRecord record;

        n += vgpu_xid_read(line, &record) && record.xid && record.sequence > 0;
    }
    return n;
}

FUZZ_TARGET(kernel_log)
{
    guint found = 0;
    VgpuKernelLog self = {
        .root = fuzz_dir(), .found = on_found, .is_kept = is_kept, .opaque = &found
    };
    int fd = memfd_create("fuzz", MFD_CLOEXEC);

    FUZZ_CHECK(fd >= 0 && write(fd, data, size) == (ssize_t) size && lseek(fd, 0, SEEK_SET) == 0,
               "a file in memory");
    self.rest = g_string_new(NULL);
    FUZZ_CHECK(!read_all(&self, fd), "the end of a log");
    if (!memchr(data, '\0', size))
        FUZZ_CHECK(found == count(data, size), "%u", found);
    g_string_free(self.rest, TRUE);
    close(fd);
}
