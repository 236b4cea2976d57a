/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* xid.h: errors of NVIDIA GPUs in the kernel log, and the action that NVIDIA's catalogue gives
 *
 * Only errors that leave the GPU unusable until an administrator acts are known here, and none that a guest can
 * cause. Pure. */
#pragma once

#include <glib.h>
#include <stdbool.h>

typedef struct {
    guint code;
    const char *action; /* a word for programs: "reset", "reboot" or "service" */
    const char *name;   /* "GPU has fallen off the bus" */
    const char *todo;   /* for people, the action; printed after "; " */
} VgpuXid;

/* One record of the kernel's log. */
typedef struct {
    guint64 sequence;
    const VgpuXid *xid; /* NULL: it is nothing of that kind */
    /* "0000:41:00": PCI domain, bus and device, in the form of canonical addresses */
    char slot[16];
    const char *text; /* the driver's text; points into the record */
} VgpuXidRecord;

/* Read a line of /dev/kmsg. False: it is not a record. */
bool vgpu_xid_read(const char *line, VgpuXidRecord *out);

/* NULL: nothing has to be done, or the error only concerns a guest. For some errors @text, the driver's,
 * decides. */
const VgpuXid *vgpu_xid_find(guint code, const char *text);
