/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* manager-host.h: a manager in a made tree, with the fake driver and a log of its requests */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "base/clock.h"
#include "core/definitions.h"
#include "core/manager-private.h"
#include "core/plan.h"
#include "core/records.h"
#include "sysfs/sysfs.h"

#define HOST_WEB1 "6f0c5c1e-7a0b-4b57-9c1d-3b1f0a7c9e10"
#define HOST_WEB1_0 "251e8969-0e28-5c92-b0e8-c8bd34136128" /* its vGPU 0 */
#define HOST_DEVICE(attributes) "<vgpu:device profile='A2-4Q' " attributes "/>"

typedef struct {
    char *root;
    VgpuSysfs *sysfs;
    VgpuConfig *config;
    GMainContext *context;
    VgpuManager *manager;
    GString *log;   /* what the manager has asked of its host, one line each */
    gulong libvirt; /* its version, for managers that are made from now on; 0: any */
} Host;

/* Let it work until it has read all GPUs, as they are now. */
void host_see(VgpuManager *manager);
/* These read the GPUs first, as the daemon does. */
#define vgpu_manager_begin_setup(manager, ...)                                                   \
    (host_see(manager), vgpu_manager_begin_setup(manager, __VA_ARGS__))
#define vgpu_manager_bind(manager, ...)                                                          \
    (host_see(manager), vgpu_manager_bind(manager, __VA_ARGS__))
#define vgpu_manager_create(manager, ...)                                                        \
    (host_see(manager), vgpu_manager_create(manager, __VA_ARGS__))
#define vgpu_manager_explain(manager, ...)                                                       \
    (host_see(manager), vgpu_manager_explain(manager, __VA_ARGS__))
#define vgpu_manager_filter(manager, ...)                                                        \
    (host_see(manager), vgpu_manager_filter(manager, __VA_ARGS__))
#define vgpu_manager_inventory(manager) (host_see(manager), vgpu_manager_inventory(manager))
#define vgpu_manager_keep(manager, ...)                                                          \
    (host_see(manager), vgpu_manager_keep(manager, __VA_ARGS__))
#define vgpu_manager_list(manager, ...)                                                          \
    (host_see(manager), vgpu_manager_list(manager, __VA_ARGS__))
#define vgpu_manager_get_pool(manager, ...)                                                      \
    (host_see(manager), vgpu_manager_get_pool(manager, __VA_ARGS__))
#define vgpu_manager_list_pools(manager) (host_see(manager), vgpu_manager_list_pools(manager))
#define vgpu_manager_reconcile(manager, ...)                                                     \
    (host_see(manager), vgpu_manager_reconcile(manager, __VA_ARGS__))

/* With a tree of its own and a manager in it. */
Host *host_new(void);
/* Removes the tree. */
void host_free(Host *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Host, host_free)

/* A manager that knows nothing but what is in the tree, in place of the present one, which
 * is dropped where it stands. */
void host_restart(Host *self);

/* More cards, by their name in make-tree.c, below a manager that does not know of them. */
void host_plug_boards(Host *self, const char *const *boards);
/* The same, and a manager that knows them. */
void host_add_boards(Host *self, const char *const *boards);

/* Let it work until nothing has been under way for a moment. */
void host_settle(Host *self);
/* Check that the cached state of the GPUs equals one rebuilt from all reports. */
void host_check_view(VgpuManager *manager);
/* Let it work until @condition holds; tells whether it came to hold within ten seconds. */
bool host_wait(Host *self, bool (*condition)(Host *self));
/* Let it work that long. */
void host_run(Host *self, guint ms);

/* --- the tree ----------------------------------------------------------------------------- */

void host_knob(const Host *self, const char *name, const char *text);
void host_unknob(const Host *self, const char *name);
/* A knob that is there while that device is open. */
void host_open(const Host *self, const char *uuid);
void host_close(const Host *self, const char *uuid);

/* Like a foreign process; returns the errno value. */
int host_make_device(const Host *self, const char *parent, const char *profile, const char *uuid);

/* "PARENT PROFILE" of the device, "" when there is none. Owned by the caller. */
char *host_device(const Host *self, const char *uuid);
guint host_count_devices(const Host *self);
guint host_count_records(const Host *self);
/* The number that the VF's nvidia/current_vgpu_type reads, -1: there is none. */
int host_vf_type(const Host *self, const char *vf);
/* Like a foreign process; returns the errno value. */
int host_set_vf_type(const Host *self, const char *vf, const char *number);
/* Everything below /sys and /dev, to be compared. */
char *host_fingerprint(const Host *self);

/* --- domains ------------------------------------------------------------------------------ */

/* XML of a domain with these <vgpu:device>s; @cold of them have their <hostdev> already. */
char *host_xml(const char *name, const char *uuid, const char *devices, guint cold);
VgpuDomain *host_domain(const char *xml);
/* "6f0c5c1e-…-00000000000N" */
char *host_nth_uuid(guint n);

/* One prepare. */
typedef struct {
    bool answered;
    GError *error; /* NULL: may start */
    guint64 token;
    guint64 since;
} Prepare;

void host_prepare(Host *self, const char *xml, guint timeout_ms, Prepare *out);
/* The same and wait for the answer: NULL, or why it was refused. Owned by the caller. */
char *host_start(Host *self, const char *xml);
void host_release(Host *self, const char *uuid);
void prepare_clear(Prepare *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Prepare, prepare_clear)

/* What libvirt says of a domain; @xml is its definition and, with @id >= 0, what runs. */
void host_fact(GPtrArray *facts, const char *xml, int id);
GPtrArray *host_facts(void);
/* The actions as "ACTION UUID" lines in the order of the text. */
char *host_reconcile(Host *self, const GPtrArray *facts, bool dry_run);
