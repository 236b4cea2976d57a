/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fault-case.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "base/uuid.h"
#include "fault-private.h"

#define STEPS_LEAST 4
#define STEPS_MOST 9
#define CREATE_LATE_MS "500"

static const FaultAsk asks[] = {
    { "M10-1Q", 1, 0, "<vgpu:device profile='GRID M10-1Q'/>", { "nvidia-39" } },
    { "M10-4Q", 1, 0, "<vgpu:device profile='GRID M10-4Q'/>", { "nvidia-43" } },
    { "M10-1Q twice",
      2,
      0,
      "<vgpu:device profile='GRID M10-1Q'/><vgpu:device profile='GRID M10-1Q'/>",
      { "nvidia-39", "nvidia-39" } },
    { "M10-1Q with parameters",
      1,
      0,
      "<vgpu:device profile='GRID M10-1Q'><vgpu:param name='loglevel' value='3'/></vgpu:device>",
      { "nvidia-39" } },
    { "L40S-4Q", 0, 1, "<vgpu:device profile='NVIDIA L40S-4Q'/>", { "1150" } },
    { "L40S-4Q twice",
      0,
      2,
      "<vgpu:device profile='NVIDIA L40S-4Q'/><vgpu:device profile='NVIDIA L40S-4Q'/>",
      { "1150", "1150" } },
};
#define ASK_VF (G_N_ELEMENTS(asks) - 2)

/* --- domains -------------------------------------------------------------------------------------- */

static void
forget_held(FaultVm *vm)
{
    for (guint i = 0; i < G_N_ELEMENTS(vm->names); i++) {
        g_clear_pointer(&vm->names[i], g_free);
        g_clear_pointer(&vm->where[i], g_free);
    }
}

/* As a QEMU that has it does. */
static void
set_open(FaultRun *self, const FaultVm *vm, bool open)
{
    for (guint i = 0; i < G_N_ELEMENTS(vm->names) && vm->names[i]; i++) {
        g_autofree char *knob = g_strconcat("open-", vm->names[i], NULL);

        life_knob(self->life, knob, open ? "" : NULL);
    }
}

static bool
take_stock(FaultRun *self, FaultVm *vm)
{
    g_autofree char *text = life_claim(self->life, vm->number);
    g_autofree char *uuid = life_uuid(vm->number);
    g_autoptr(GKeyFile) claim = g_key_file_new();

    if (!text || !g_key_file_load_from_data(claim, text, (gsize) -1, G_KEY_FILE_NONE, NULL))
        return fault_fail(self, "vm%u runs and has no record", vm->number);
    for (guint i = 0; i < vm->ask->mdevs + vm->ask->vfs; i++) {
        g_autofree char *vgpu = vgpu_uuid_for_domain(uuid, i);
        g_autofree char *parent = g_key_file_get_string(claim, vgpu, "parent", NULL);

        vm->names[i] = g_strdup(vm->ask->vfs ? parent : vgpu);
        vm->where[i] = g_strdup_printf("%s %s ", parent, vm->ask->types[i]);
    }
    return true;
}

/* Calls of the hook itself do not fail, so its answer is reliable. */
static int
run_hook(FaultRun *self, const FaultVm *vm, const char *op)
{
    LifeHook hook = life_hook(self->life, vm->number, vm->xml, op);
    gint64 deadline = g_get_monotonic_time() + 40 * G_USEC_PER_SEC;
    g_autofree char *said = NULL;
    int status;

    while (!life_hook_ended(&hook, &status, &said)) {
        if (g_get_monotonic_time() > deadline)
            kill(hook.pid, SIGKILL);
        fault_poll(self);
    }
    if (said && *said)
        fault_tell(self, "  %s of vm%u: %s", op, vm->number, said);
    if (g_get_monotonic_time() > deadline)
        (void) fault_fail(self, "the %s of vm%u does not end", op, vm->number);
    return status;
}

static bool
define(FaultRun *self, FaultVm *vm)
{
    bool is_vf = vm->number == FAULT_VMS;
    g_autofree char *knob = g_strdup_printf("vm%u.xml", vm->number);
    g_autofree char *path = g_build_filename(self->life->root, "knobs", knob, NULL);

    vm->ask = &asks[is_vf ? ASK_VF + (self->out->seed % 4 == 0) : fault_below(self, ASK_VF)];
    g_free(vm->xml);
    vm->xml = life_xml(vm->number, vm->ask->devices, vm->ask->mdevs, vm->ask->vfs);
    fault_tell(self, "define vm%u, %s", vm->number, vm->ask->name);
    life_knob(self->life, knob, vm->xml);
    fault_write_libvirt(self);
    return fault_libvirt(self, "define", path);
}

static bool
undefine(FaultRun *self, FaultVm *vm)
{
    g_autofree char *name = g_strdup_printf("vm%u", vm->number);

    fault_tell(self, "undefine vm%u", vm->number);
    vm->ask = NULL;
    fault_write_libvirt(self);
    return fault_libvirt(self, "undefine", name);
}

static bool
stop(FaultRun *self, FaultVm *vm)
{
    g_autofree char *name = g_strdup_printf("vm%u", vm->number);

    fault_tell(self, "stop vm%u", vm->number);
    set_open(self, vm, false);
    forget_held(vm);
    vm->runs = false;
    fault_write_libvirt(self);
    (void) run_hook(self, vm, "release");
    return fault_libvirt(self, "stop", name);
}

static bool
start(FaultRun *self, FaultVm *vm)
{
    g_autofree char *name = g_strdup_printf("vm%u", vm->number);

    fault_tell(self, "start vm%u", vm->number);
    if (run_hook(self, vm, "prepare") != 0) {
        (void) run_hook(self, vm, "release");
        return !self->out->why->len;
    }
    if (!take_stock(self, vm))
        return false;
    vm->runs = true;
    set_open(self, vm, true);
    fault_write_libvirt(self);
    return fault_libvirt(self, "start", name);
}

/* --- vGPUs by hand ---------------------------------------------------------------------------------- */

/* Calls of the bus are waited for here, so faults last as long as they do. */
static bool
make(FaultRun *self, guint n)
{
    g_autofree char *uuid = fault_uuid_of_made(n);
    const char *why;
    g_autoptr(GVariant) result = NULL;

    fault_tell(self, "create %s", uuid);
    result = fault_host_call(self->out->host, "CreateVgpu",
                             g_variant_new_parsed("(%s, 'GRID M10-1Q', {'uuid': <%s>})", LIFE_M10,
                                                  uuid),
                             &why);
    self->made[n] = result ? FAULT_PRESENT : FAULT_IN_DOUBT;
    if (!result)
        fault_tell(self, "  %s", why);
    return true;
}

static bool
unmake(FaultRun *self, guint n)
{
    g_autofree char *uuid = fault_uuid_of_made(n);
    const char *why;
    g_autoptr(GVariant) result = NULL;

    fault_tell(self, "destroy %s", uuid);
    result = fault_host_call(self->out->host, "DestroyVgpu", g_variant_new("(s)", uuid), &why);
    self->made[n] = result ? FAULT_ABSENT : FAULT_IN_DOUBT;
    if (!result)
        fault_tell(self, "  %s", why);
    return true;
}

/* --- a case --------------------------------------------------------------------------------------- */

static bool
change_domain(FaultRun *self, FaultVm *vm)
{
    if (!vm->ask)
        return define(self, vm);
    if (vm->runs)
        return stop(self, vm);
    switch (fault_below(self, 5)) {
    case 0:
        return undefine(self, vm);
    case 1:
        return define(self, vm);
    default:
        return start(self, vm);
    }
}

static bool
change(FaultRun *self)
{
    guint what = fault_below(self, 12), n;

    if (what < 8)
        return change_domain(self, &self->vms[what % FAULT_VMS]);
    if (what < 10) {
        n = what - 8;
        return self->made[n] == FAULT_ABSENT ? make(self, n) : unmake(self, n);
    }
    fault_tell(self, "restart");
    return fault_restart(self, what == 10 ? SIGTERM : SIGKILL);
}

/* A running daemon reconciles at once, a new one when it starts. */
static bool
reconcile(FaultRun *self)
{
    guint how = fault_below(self, 3);
    const char *why;
    g_autoptr(GVariant) actions = NULL;

    fault_disarm(self);
    fault_write_libvirt(self);
    if (how || !life_runs(self->life)) {
        fault_tell(self, "restart, with the fault gone");
        return fault_restart(self, how == 1 ? SIGTERM : SIGKILL) && fault_has_reconciled(self);
    }
    fault_tell(self, "reconcile, with the fault gone");
    if (!fault_becomes_whole(self))
        return false;
    actions = fault_host_call(self->out->host, "Reconcile", g_variant_new("(b)", FALSE), &why);
    return actions || fault_fail(self, "it does not reconcile: %s", why);
}

static bool
wind_up(FaultRun *self)
{
    for (guint i = 0; i < FAULT_VMS; i++) {
        if (self->vms[i].runs && !stop(self, &self->vms[i]))
            return false;
        if (self->vms[i].ask && !undefine(self, &self->vms[i]))
            return false;
    }
    for (guint i = 0; i < FAULT_MADE; i++) {
        if (self->made[i] != FAULT_ABSENT)
            (void) unmake(self, i);
        self->made[i] = FAULT_ABSENT;
    }
    return fault_settles(self, fault_find_wrong_end);
}

static bool
step(FaultRun *self)
{
    bool well;

    fault_arm(self);
    well = change(self);
    fault_disarm(self);
    if (well && !life_runs(self->life)) {
        fault_tell(self, "  the daemon has ended: %d", self->life->ended);
        return fault_fail(self, "the daemon ends by itself");
    }
    return well && fault_check_guests(self) && fault_check_foreign(self);
}

static bool
has_vgpu(const FaultRun *self, const char *vgpu)
{
    g_autofree char *device = life_device(self->life, vgpu);

    return device;
}

/* Start a domain and kill the daemon between the making of its vGPU and the answer of the driver. The start fails,
 * and the domain was transient: only the record, in state `creating`, shows whose vGPU it is. */
static bool
die_in_start(FaultRun *self)
{
    FaultVm *vm = &self->vms[0];
    gint64 deadline = g_get_monotonic_time() + FAULT_SETTLE_US;
    g_autofree char *uuid = life_uuid(vm->number);
    g_autofree char *vgpu = vgpu_uuid_for_domain(uuid, 0);
    g_autofree char *said = NULL;
    LifeHook hook;

    if ((vm->runs && !stop(self, vm)) || (!vm->ask && !define(self, vm)) ||
        !fault_becomes_whole(self))
        return false;
    while (has_vgpu(self, vgpu) && g_get_monotonic_time() < deadline)
        fault_poll(self); /* of its last run */
    fault_tell(self, "start vm%u, and SIGKILL to the daemon", vm->number);
    life_knob(self->life, "create_late_ms", CREATE_LATE_MS);
    hook = life_hook(self->life, vm->number, vm->xml, "prepare");
    while (!has_vgpu(self, vgpu) && g_get_monotonic_time() < deadline)
        fault_poll(self);
    life_kill(self->life);
    life_knob(self->life, "create_late_ms", NULL);
    vm->ask = NULL;
    (void) life_hook_wait(&hook, &said);
    (void) run_hook(self, vm, "release");
    return true;
}

static bool
run(FaultRun *self)
{
    guint steps = STEPS_LEAST + fault_below(self, STEPS_MOST - STEPS_LEAST + 1);

    for (guint i = 0; i < FAULT_VMS; i++)
        self->vms[i].number = i + 1;
    fault_write_libvirt(self);
    if (!self->out->host->room && !(life_up(self->life) && fault_becomes_whole(self) &&
                                    fault_settles(self, fault_find_wrong_end)))
        return fault_fail(self, "nothing works without faults, either");
    fault_tell(self, "start of the daemon");
    fault_arm(self);
    if (!fault_restart(self, SIGKILL))
        return false;
    for (guint i = 0; i < steps; i++) {
        if (!step(self))
            return false;
    }
    if (self->out->seed % 4 == 1 && !die_in_start(self))
        return false;
    return reconcile(self) && fault_is_right(self) && wind_up(self);
}

void
fault_case_run(FaultCase *out)
{
    FaultRun self = {
        .out = out,
        .life = out->host->life,
        .board = out->host->board,
        .rand = g_rand_new_with_seed(out->seed),
        .mdev = life_device(out->host->life, FAULT_FOREIGN_MDEV),
        .vf = life_device(out->host->life, FAULT_FOREIGN_VF),
    };

    (void) run(&self);
    fault_disarm(&self);
    life_kill(self.life);
    for (guint i = 0; i < FAULT_VMS; i++) {
        set_open(&self, &self.vms[i], false);
        forget_held(&self.vms[i]);
        g_free(self.vms[i].xml);
    }
    g_free(self.mdev);
    g_free(self.vf);
    g_rand_free(self.rand);
}
