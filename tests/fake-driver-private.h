/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* fake-driver-private.h: what the parts of the fake driver share: its records, and what fits
 *
 * It knows libc only, and opens and writes past the functions that fake-driver.c replaces. All that
 * return an int return an errno value. */
#pragma once

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

typedef char Path[PATH_MAX];

/* Below the root; the records are authoritative, /sys is a view of them. */
#define FAKE_RECORDS "driver/devices" /* a file per device: "ADDR TYPE GROUP" */
#define FAKE_TABLES                                                                              \
    "driver/types-" /* of a GPU with vendor-specific VFIO: "TYPE FB_MIB MAX NAME" */
#define FAKE_MDEV_DEVICES "sys/bus/mdev/devices"
#define FAKE_GROUPS "sys/kernel/iommu_groups"
#define FAKE_VFIO "dev/vfio"

extern Path fake_root; /* canonical, "" for none */

/* A function that carries vGPUs: DIR/ADDR */
struct function {
    Path dir;
    const char *addr; /* in @dir */
    Path pf_dir;      /* its GPU, may be itself */
    const char *pf;   /* in @pf_dir */
};

struct type {
    char id[64];
    char name[96];
    unsigned fb_mib;
    unsigned max_instance;
};

struct record {
    char addr[32];
    char type[64];
    int group;
};

/* --- fake-driver-state.c ------------------------------------------------------------------ */

char *fake_format(Path path, const char *text, ...) __attribute__((format(printf, 2, 3)));
int fake_open(int dir, const char *path, int flags, unsigned mode);
bool fake_exists(const char *path);
/* Read the first line of the file; false when it cannot be read. */
bool fake_read_line(const char *path, char *line, size_t size);
/* In place: a reader finds the old or the new one, if both are of one length. */
void fake_put_line(const char *path, const char *line);
/* In one go, whatever the length. */
void fake_put_file(const char *path, const void *data, size_t len);
void fake_sleep_ms(unsigned ms);

/* Show in @dir/nvidia where the vGPU is, as the knobs of those names have it; or take that away. */
void fake_show_places(const char *dir);
void fake_hide_places(const char *dir);
/* Read the first line of a knob; false when the knob does not exist. */
bool fake_knob_text(const char *name, char *line, size_t size);
/* The number in a knob, 0 when the knob does not exist. */
unsigned fake_knob(const char *name);
bool fake_knob_is_there(const char *prefix, const char *name);
/* Count a knob down; returns whether it was above zero. */
bool fake_knob_take(const char *name);
/* Sleep while there is a knob WHAT-ADDR of the function or its GPU. */
void fake_wait_while_hung(const char *what, const struct function *function);

/* All that reads or changes records is done under this lock: its descriptor, to be closed. */
int fake_lock(void);

/* Completes @function, whose dir is set. */
void fake_find_gpu(struct function *function);
bool fake_read_record(const char *name, struct record *out);
/* With the view of what still fits. */
void fake_put_record(const struct function *function, const char *name,
                     const struct record *record);
void fake_drop_record(const struct function *function, const char *name);
bool fake_read_type(const struct function *function, const char *id, struct type *type);
/* Whether one more of @type fits on the GPU, and on the function. */
bool fake_has_room(const struct function *function, const struct type *type);

/* --- what a write does: @path is taken apart ------------------------------------------------ */

int fake_mdev_create(char *path, const char *text, size_t len);
int fake_mdev_remove(char *path, const char *text, size_t len);
int fake_vendor_set_type(char *path, const char *text, size_t len);
int fake_set_params(char *path, const char *text, size_t len);
