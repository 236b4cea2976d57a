/* fault-check.c (fault-private.h): what there is, and what should be there */
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

/* One thing that is not as it should be; NULL: all is. */
char *
fault_find_wrong(FaultRun *self)
{
    g_autoptr(GPtrArray) devices = life_devices(self->life);
    g_autoptr(GPtrArray) claims = life_claims(self->life);
    g_autoptr(GHashTable) known = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_autoptr(GHashTable) owners = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

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
    }
    for (guint i = 0; i < FAULT_VMS; i++) {
        g_autofree char *claim = life_claim(self->life, self->vms[i].number);

        if (self->vms[i].runs && !claim)
            return g_strdup_printf("vm%u runs, and has no record", self->vms[i].number);
    }
    return NULL;
}

/* What the daemon says is free on the M10s is what their driver has. */
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
    return NULL;
}

/* In the end no domain has one, and all of it can be had again. */
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

/* Until all is as it should be. */
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
