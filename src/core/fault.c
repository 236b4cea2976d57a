/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* fault.c (manager.h): GPUs whose driver reports an error that needs an administrator */
#include <string.h>

#include "base/event.h"
#include "base/printable.h"
#include "core/cordoning.h"
#include "core/manager-private.h"

#define AGAIN_US                                                                                 \
    (60 * G_USEC_PER_SEC) /* the same error of the same GPU is reported once in that time */
#define TEXT_MAX 200
#define AUTHOR "virtvgpud"

typedef struct {
    VgpuManager *manager;
    const VgpuXid *xid;
    char *slot;
    char *text;
} Fault;

static void
fault_free(Fault *self)
{
    g_free(self->slot);
    g_free(self->text);
    g_free(self);
}

/* One printable line of it, as long as a reason may be. */
static char *
tidy(const char *text)
{
    g_autofree char *valid = g_utf8_make_valid(text, -1);
    GString *out = g_string_new(NULL);
    glong n = 0;

    for (const char *p = valid; *p && n < TEXT_MAX; p = g_utf8_next_char(p), n++) {
        gunichar c = g_utf8_get_char(p);

        g_string_append_unichar(out, vgpu_printable_char(c) ? c : ' ');
    }
    return g_string_free(out, FALSE);
}

/* Whether the function is one of that slot. */
static bool
is_in_slot(const char *function, const char *slot)
{
    gsize length = strlen(slot);

    return strncmp(function, slot, length) == 0 && function[length] == '.';
}

static bool
has_function_in(const VgpuGpu *gpu, const char *slot)
{
    bool found = is_in_slot(gpu->address, slot);

    for (guint i = 0; !found && i < gpu->vfs->len; i++)
        found = is_in_slot(g_ptr_array_index(gpu->vfs, i), slot);
    return found;
}

/* The GPU that the driver means: it names a slot but no function, and a VF may be in a slot of its own.
 * A GPU that has already disappeared was in the first slot of its bus. NULL: unknown. */
static char *
find_gpu(VgpuManager *self, const char *slot)
{
    const VgpuInventory *inventory = vgpu_manager_inventory(self);

    for (guint i = 0; i < inventory->gpus->len; i++) {
        const VgpuGpu *gpu = g_ptr_array_index(inventory->gpus, i);

        if (has_function_in(gpu, slot))
            return g_strdup(gpu->address);
    }
    return g_str_has_suffix(slot, ":00") ? g_strconcat(slot, ".0", NULL) : NULL;
}

/* faults: "GPU XID ACTION" → gint64 *, when (monotonic). */
static bool
was_told(VgpuManager *self, const char *gpu, const VgpuXid *xid)
{
    g_autofree char *key = g_strdup_printf("%s %u %s", gpu, xid->code, xid->action);
    const gint64 *last = g_hash_table_lookup(self->faults, key);
    gint64 now = g_get_monotonic_time();

    if (last && now - *last < AGAIN_US)
        return true;
    g_hash_table_replace(self->faults, g_steal_pointer(&key), g_memdup2(&now, sizeof(now)));
    return false;
}

static void
tell(VgpuManager *self, const char *gpu, const Fault *fault, const char *reason)
{
    g_autofree char *text = tidy(fault->text);

    self->ops.event(vgpu_event_new(&(VgpuEvent) { .event = "gpu-fault",
                                                  .gpu = gpu,
                                                  .reason = reason,
                                                  .xid = fault->xid->code,
                                                  .action = fault->xid->action,
                                                  .text = text,
                                                  .duration_ms = -1,
                                                  .libvirt_ms = -1 }),
                    self->opaque);
}

/* Once it is known which GPUs there are. */
static void
take(gpointer data)
{
    Fault *fault = data;
    VgpuManager *self = fault->manager;
    g_autofree char *gpu = find_gpu(self, fault->slot);
    g_autofree char *reason =
        g_strdup_printf("Xid %u, %s; %s", fault->xid->code, fault->xid->name, fault->xid->todo);

    if (gpu && !was_told(self, gpu, fault->xid)) {
        tell(self, gpu, fault, reason);
        if (self->config->cordon_on_xid)
            vgpu_cordoning_put(self, gpu, reason, AUTHOR);
    }
    fault_free(fault);
}

void
vgpu_manager_take_fault(VgpuManager *self, const VgpuXid *xid, const char *slot, const char *text)
{
    Fault *fault = g_new0(Fault, 1);

    fault->manager = self;
    fault->xid = xid;
    fault->slot = g_strdup(slot);
    fault->text = g_strdup(text);
    if (self->discovery)
        take(fault);
    else
        vgpu_manager_when_seen(self, 0, take, fault);
}
