/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* fault-check.c (fault-private.h): compare what exists with what should exist */
#include <string.h>

#include "fault-private.h"

char *
fault_uuid_of_made(guint n)
{
    return g_strdup_printf("bbbbbbbb-0000-4000-8000-%012u", n);
}

static bool
is_visible(const FaultRun *self, const char *name)
{
    g_autofree char *link = g_build_filename(self->life->root, VGPU_SYS_MDEV_DEVICES, name, NULL);

    return strchr(name, ':') || g_file_test(link, G_FILE_TEST_IS_SYMLINK);
}

bool
fault_check_guests(FaultRun *self)
{
    for (guint i = 0; i < FAULT_VMS; i++) {
        const FaultVm *vm = &self->vms[i];

        for (guint j = 0; vm->runs && j < G_N_ELEMENTS(vm->names) && vm->names[j]; j++) {
            g_autofree char *is = life_device(self->life, vm->names[j]);

            if (!is || !g_str_has_prefix(is, vm->where[j]) || !is_visible(self, vm->names[j]))
                return fault_fail(self, "vm%u runs, and its vGPU %s is '%s', not '%s'",
                                  vm->number, vm->names[j], is ? is : "(gone)", vm->where[j]);
        }
    }
    return true;
}

bool
fault_check_foreign(FaultRun *self)
{
    g_autofree char *mdev = life_device(self->life, FAULT_FOREIGN_MDEV);
    g_autofree char *vf = life_device(self->life, FAULT_FOREIGN_VF);

    if (g_strcmp0(mdev, self->mdev) != 0)
        return fault_fail(self, "a foreign mdev is '%s', not '%s'", mdev, self->mdev);
    return g_strcmp0(vf, self->vf) == 0 ||
           fault_fail(self, "a foreign VF is '%s', not '%s'", vf, self->vf);
}

/* --- records -------------------------------------------------------------------------------------- */

static GKeyFile *
read_record(const FaultRun *self, const char *key)
{
    g_autofree char *path = g_build_filename(self->life->root, VGPU_PATH_CLAIMS, key, NULL);
    g_autoptr(GKeyFile) record = g_key_file_new();

    return g_key_file_load_from_file(record, path, G_KEY_FILE_NONE, NULL)
               ? g_steal_pointer(&record)
               : NULL;
}

/* Whether a recorded vGPU is being created or removed; nothing else changes which vGPUs exist. */
static bool
is_under_way(const FaultRun *self)
{
    g_autoptr(GPtrArray) claims = life_claims(self->life);

    for (guint i = 0; i < claims->len; i++) {
        g_autoptr(GKeyFile) record = read_record(self, claims->pdata[i]);
        g_auto(GStrv) groups = record ? g_key_file_get_groups(record, NULL) : NULL;

        for (char **group = groups; group && *group; group++) {
            g_autofree char *phase = g_key_file_get_string(record, *group, "phase", NULL);

            if (g_strcmp0(phase, "creating") == 0 || g_strcmp0(phase, "releasing") == 0)
                return true;
        }
    }
    return false;
}

/* Check one vGPU of a record: it is where the record says, and no other owner has it. @taken: the names of the
 * others' vGPUs. */
static char *
find_wrong_claim(const FaultRun *self, GKeyFile *record, const char *uuid, GHashTable *taken)
{
    g_autofree char *interface = g_key_file_get_string(record, uuid, "interface", NULL);
    g_autofree char *parent = g_key_file_get_string(record, uuid, "parent", NULL);
    g_autofree char *type = g_key_file_get_string(record, uuid, "profile-id", NULL);
    bool is_mdev = g_strcmp0(interface, "mdev") == 0; /* else its driver has the number alone */
    g_autofree char *where =
        g_strdup_printf("%s %s ", parent, type && !is_mdev ? type + strlen("nvidia-") : type);
    char *name = g_strdup(is_mdev ? uuid : parent);
    g_autofree char *is = life_device(self->life, name);
    char *wrong = NULL;

    if (g_hash_table_contains(taken, name))
        wrong = g_strdup_printf("a double: %s is on record twice, or another's", name);
    else if (!is || !g_str_has_prefix(is, where))
        wrong = g_strdup_printf("%s is on record as '%s', and is '%s'", name, where,
                                is ? is : "(gone)");
    g_hash_table_add(taken, name);
    return wrong;
}

static char *
find_wrong_record(const FaultRun *self, const char *key, GHashTable *taken)
{
    g_autoptr(GKeyFile) record = read_record(self, key);
    g_auto(GStrv) groups = record ? g_key_file_get_groups(record, NULL) : NULL;
    char *wrong = record ? NULL : g_strdup_printf("the record of %s cannot be read", key);

    for (char **group = groups; !wrong && group && *group; group++) {
        if (g_key_file_has_key(record, *group, "parent", NULL))
            wrong = find_wrong_claim(self, record, *group, taken);
    }
    return wrong;
}

/* --- all there is --------------------------------------------------------------------------------- */

/* Returns one thing that is wrong; NULL: all is right. */
char *
fault_find_wrong(FaultRun *self)
{
    g_autoptr(GHashTable) taken = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_autoptr(GPtrArray) devices = life_devices(self->life);
    g_autoptr(GPtrArray) claims = life_claims(self->life);
    g_autoptr(GHashTable) known = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_autoptr(GHashTable) owners = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    char *wrong;

    g_hash_table_add(taken, g_strdup(FAULT_FOREIGN_MDEV));
    g_hash_table_add(taken, g_strdup(FAULT_FOREIGN_VF));
    g_hash_table_add(known, g_strdup(FAULT_FOREIGN_MDEV));
    g_hash_table_add(known, g_strdup(FAULT_FOREIGN_VF));
    for (guint i = 0; i < FAULT_VMS; i++) {
        const FaultVm *vm = &self->vms[i];

        if (vm->runs)
            g_hash_table_add(owners, life_uuid(vm->number));
        for (guint j = 0; vm->runs && j < G_N_ELEMENTS(vm->names) && vm->names[j]; j++)
            g_hash_table_add(known, g_strdup(vm->names[j]));
    }
    for (guint i = 0; i < FAULT_MADE; i++) {
        g_autofree char *uuid = fault_uuid_of_made(i);
        g_autofree char *device = life_device(self->life, uuid);

        if (self->made[i] == FAULT_PRESENT && !device)
            return g_strdup_printf("%s, made by hand, has gone", uuid);
        if (self->made[i] == FAULT_ABSENT)
            continue;
        g_hash_table_add(known, g_strdup(uuid));
        g_hash_table_add(owners, g_steal_pointer(&uuid));
    }
    for (guint i = 0; i < devices->len; i++) {
        g_auto(GStrv) words = g_strsplit(g_ptr_array_index(devices, i), " ", 2);

        if (!g_hash_table_contains(known, words[0]))
            return g_strdup_printf("a vGPU is left: %s", (char *) devices->pdata[i]);
    }
    for (guint i = 0; i < claims->len; i++) {
        g_autofree char *path =
            g_build_filename(self->life->root, VGPU_PATH_CLAIMS, claims->pdata[i], NULL);
        g_autofree char *text = NULL;

        (void) g_file_get_contents(path, &text, NULL, NULL);
        if (!g_hash_table_contains(owners, claims->pdata[i]))
            return g_strdup_printf("a record is left:\n%s", text ? text : "");
        if (!text || strstr(text, "phase=creating") || strstr(text, "phase=releasing") ||
            !strstr(text, "complete=true"))
            return g_strdup_printf("a record is stuck:\n%s", text ? text : "");
        if ((wrong = find_wrong_record(self, claims->pdata[i], taken)))
            return wrong;
    }
    for (guint i = 0; i < FAULT_VMS; i++) {
        g_autofree char *claim = life_claim(self->life, self->vms[i].number);

        if (self->vms[i].runs && !claim)
            return g_strdup_printf("vm%u runs, and has no record", self->vms[i].number);
    }
    return NULL;
}

/* Those of the L40S that the daemon calls free are those without a vGPU. */
static char *
find_wrong_vf(const FaultRun *self)
{
    const char *why = NULL;
    g_autoptr(GVariant) answer =
        fault_host_call(self->out->host, "GetGpu", g_variant_new("(s)", LIFE_L40S), &why);
    g_autoptr(GVariant) gpu = answer ? g_variant_get_child_value(answer, 0) : NULL;
    g_autoptr(GVariantIter) vfs = NULL;
    char *wrong = NULL;
    GVariant *vf;

    if (!gpu || !g_variant_lookup(gpu, "vfs", "aa{sv}", &vfs))
        return g_strdup_printf("the VFs are not told: %s", why ? why : "none");
    while (!wrong && (vf = g_variant_iter_next_value(vfs))) {
        const char *address = "?", *state = "?";
        g_autofree char *is = NULL;

        (void) g_variant_lookup(vf, "address", "&s", &address);
        (void) g_variant_lookup(vf, "state", "&s", &state);
        is = life_device(self->life, address);
        if (!g_str_equal(state, is ? "used" : "free"))
            wrong = g_strdup_printf("it says that VF %s is %s, and that is '%s'", address, state,
                                    is ? is : "(free)");
        g_variant_unref(vf);
    }
    return wrong;
}

/* The capacity that the daemon reports is what the drivers have. */
char *
fault_find_wrong_room(FaultRun *self)
{
    const char *why = NULL;
    g_autofree char *said = fault_host_room(self->out->host, &why);
    g_auto(GStrv) lines = said ? g_strsplit(said, "\n", -1) : NULL;

    if (!said)
        return g_strdup_printf("the room is not told: %s", why);
    for (char **line = lines; *line; line++) {
        static const char *const types[][2] = {
            { "GRID M10-1Q ", "nvidia-39" },
            { "GRID M10-4Q ", "nvidia-43" },
            { "GRID M10-8Q ", "nvidia-45" },
        };
        const char *name = strchr(*line, ' ');

        for (gsize i = 0; name && i < G_N_ELEMENTS(types); i++) {
            g_autofree char *gpu = g_strndup(*line, (gsize) (name - *line));
            g_autofree char *path = g_build_filename(self->life->root, "sys/class/mdev_bus", gpu,
                                                     "mdev_supported_types", types[i][1],
                                                     "available_instances", NULL);
            g_autofree char *text = NULL;

            if (g_str_has_prefix(name + 1, types[i][0]) &&
                g_file_get_contents(path, &text, NULL, NULL) &&
                strcmp(name + 1 + strlen(types[i][0]), g_strchomp(text)) != 0)
                return g_strdup_printf("it says '%s', and its driver has %s", *line, text);
        }
    }
    return find_wrong_vf(self);
}

/* At the end no domain has a vGPU, and all capacity is available again. */
char *
fault_find_wrong_end(FaultRun *self)
{
    const char *why = NULL;
    char *wrong = fault_find_wrong(self);
    g_autofree char *room = NULL;

    if (wrong)
        return wrong;
    room = fault_host_room(self->out->host, &why);
    if (!room)
        return g_strdup_printf("the room is not told: %s", why);
    if (!self->out->host->room)
        self->out->host->room = g_strdup(room);
    return strcmp(room, self->out->host->room) == 0
               ? NULL
               : g_strdup_printf("the room is\n%s, and was\n%s", room, self->out->host->room);
}

/* Wait until no vGPU is being created or removed. */
static bool
waits(FaultRun *self)
{
    gint64 deadline = g_get_monotonic_time() + FAULT_SETTLE_US;

    while (is_under_way(self)) {
        if (g_get_monotonic_time() > deadline)
            return fault_fail(self, "a vGPU is being made or removed for ever");
        g_usleep(FAULT_POLL_US);
    }
    return true;
}

/* Wait until everything is as it should be. */
bool
fault_settles(FaultRun *self, char *(*find)(FaultRun *self))
{
    gint64 deadline = g_get_monotonic_time() + FAULT_SETTLE_US;
    char *wrong;

    while ((wrong = find(self)) && g_get_monotonic_time() < deadline) {
        g_free(wrong);
        g_usleep(FAULT_POLL_US);
    }
    if (wrong)
        (void) fault_fail(self, "%s", wrong);
    g_free(wrong);
    return !self->out->why->len && fault_check_guests(self) && fault_check_foreign(self);
}

/* Why a GPU cannot be used now, as the daemon says; NULL: all can. */
static char *
find_obstacle(FaultRun *self)
{
    for (guint i = 0; fault_gpus[i]; i++) {
        const char *why = NULL;
        g_autoptr(GVariant) answer =
            fault_host_call(self->out->host, "GetGpu", g_variant_new("(s)", fault_gpus[i]), &why);
        g_autoptr(GVariant) gpu = answer ? g_variant_get_child_value(answer, 0) : NULL;

        if (!gpu || g_variant_lookup(gpu, "obstacle", "&s", &why))
            return g_strdup_printf("GPU %s cannot be used: %s", fault_gpus[i], why);
    }
    return NULL;
}

/* A removal takes as long as the driver does, so it can outlast the reconcile that began it. A driver process that
 * was ended by a fault is restarted after a while, and until then the content of its GPU is unknown. After that,
 * nothing is pending that could still repair an error. */
bool
fault_is_right(FaultRun *self)
{
    g_autofree char *wrong = NULL;

    if (!fault_settles(self, find_obstacle) || !waits(self))
        return false;
    wrong = fault_find_wrong(self);
    if (!wrong)
        wrong = fault_find_wrong_room(self);
    return wrong ? fault_fail(self, "one reconcile leaves this: %s", wrong)
                 : fault_check_guests(self) && fault_check_foreign(self);
}
