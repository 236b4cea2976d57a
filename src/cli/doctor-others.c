/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* doctor-others.c: mdevctl, the bus, polkit */
#include <string.h>

#include "base/names.h"
#include "base/uuid.h"
#include "cli/doctor-private.h"
#include "cli/mdevctl.h"

#define POLICY "dbus-1/system.d/" VGPU_DBUS_NAME ".conf"
#define POLKIT "usr/share/dbus-1/system-services/org.freedesktop.PolicyKit1.service"
#define ACTIONS "usr/share/polkit-1/actions/org.virtvgpu.policy"

static void
check_mdevctl(VgpuDoctor *self)
{
    static const char *const dirs[] = { "usr/sbin",      "usr/bin", "usr/local/sbin",
                                        "usr/local/bin", "sbin",    "bin" };

    for (gsize i = 0; i < G_N_ELEMENTS(dirs); i++) {
        g_autofree char *path = g_strconcat(dirs[i], "/mdevctl", NULL);

        if (vgpu_sysfs_exists(self->fs, path)) {
            g_autofree char *detail = g_strconcat("/", path, NULL);

            vgpu_doctor_row_add(self, "mdevctl", VGPU_DOCTOR_OK, detail, NULL);
            return;
        }
    }
    vgpu_doctor_row_add(self, "mdevctl", VGPU_DOCTOR_WARN,
                        "not installed: create=\"define\" is not possible for mediated devices",
                        "install the package mdevctl");
}

/* vGPUs that virt-vgpu itself made persistent are in its records. */
static bool
is_recorded(VgpuDoctor *self, const char *uuid)
{
    g_autoptr(GPtrArray) names = vgpu_sysfs_list(self->fs, VGPU_PATH_PERSISTENT);

    for (guint i = 0; i < names->len; i++) {
        g_autofree char *path = g_strconcat(VGPU_PATH_PERSISTENT "/", names->pdata[i], NULL);
        g_autofree char *text = vgpu_sysfs_read(self->fs, path, NULL);

        if (text && strstr(text, uuid))
            return true;
    }
    return false;
}

static bool
is_autostarted(VgpuDoctor *self, const char *parent, const char *name)
{
    g_autoptr(VgpuMdevctl) definition = vgpu_mdevctl_read(self->fs, parent, name);

    return definition && definition->autostart;
}

/* Canonical UUIDs of mdevs that mdevctl starts by itself on parents that virt-vgpu uses, too. */
static GPtrArray *
list_autostarted(VgpuDoctor *self)
{
    GPtrArray *found = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GPtrArray) parents = vgpu_sysfs_list(self->fs, VGPU_SYS_MDEV_BUS);

    for (guint p = 0; p < parents->len; p++) {
        g_autofree char *dir = g_strconcat(VGPU_MDEVCTL_DIR "/", parents->pdata[p], NULL);
        g_autoptr(GPtrArray) names = vgpu_sysfs_list(self->fs, dir);

        for (guint i = 0; i < names->len; i++) {
            g_autofree char *uuid = vgpu_uuid_canonical(names->pdata[i]);

            if (uuid && is_autostarted(self, parents->pdata[p], names->pdata[i]) &&
                !is_recorded(self, uuid))
                g_ptr_array_add(found, g_steal_pointer(&uuid));
        }
    }
    return found;
}

static void
check_mdevctl_autostart(VgpuDoctor *self)
{
    g_autoptr(GPtrArray) found = list_autostarted(self);
    g_autofree char *all = NULL;
    g_autofree char *detail = NULL;
    g_autofree char *fix = NULL;

    if (vgpu_doctor_row_add_hidden(self, "mdevctl autostart", VGPU_MDEVCTL_DIR) ||
        (found->len &&
         vgpu_doctor_row_add_hidden(self, "mdevctl autostart", VGPU_PATH_PERSISTENT)))
        return;
    if (!found->len) {
        vgpu_doctor_row_add(self, "mdevctl autostart", VGPU_DOCTOR_OK,
                            "mdevctl makes no vGPUs at boot", NULL);
        return;
    }
    fix = found->len > 1 ? g_strdup("for each: mdevctl modify --manual --uuid UUID")
                         : g_strdup_printf("mdevctl modify --manual --uuid %s",
                                           (const char *) found->pdata[0]);
    g_ptr_array_add(found, NULL);
    all = g_strjoinv(", ", (char **) found->pdata);
    detail = g_strdup_printf("mdevctl makes these vGPUs at boot, and they take room: %s", all);
    vgpu_doctor_row_add(self, "mdevctl autostart", VGPU_DOCTOR_WARN, detail, fix);
}

static void
check_policy(VgpuDoctor *self)
{
    if (vgpu_doctor_row_add_hidden(self, "bus policy", "etc/dbus-1/system.d"))
        return;
    if (vgpu_sysfs_exists(self->fs, "usr/share/" POLICY) ||
        vgpu_sysfs_exists(self->fs, "etc/" POLICY))
        vgpu_doctor_row_add(self, "bus policy", VGPU_DOCTOR_OK, "installed", NULL);
    else
        vgpu_doctor_row_add(self, "bus policy", VGPU_DOCTOR_FAIL,
                            VGPU_DBUS_NAME ".conf is not in the system bus's policies: "
                                           "virtvgpud may not own its name",
                            "install it into /usr/share/dbus-1/system.d, then 'systemctl reload "
                            "dbus'");
}

static void
check_polkit(VgpuDoctor *self)
{
    if (!vgpu_sysfs_exists(self->fs, POLKIT))
        vgpu_doctor_row_add(self, "polkit", VGPU_DOCTOR_OK,
                            "not installed: users other than root can only query", NULL);
    else if (!vgpu_sysfs_exists(self->fs, ACTIONS))
        vgpu_doctor_row_add(self, "polkit", VGPU_DOCTOR_WARN,
                            "does not know virt-vgpu's actions: users other than root can only "
                            "query",
                            "install org.virtvgpu.policy into /usr/share/polkit-1/actions");
    else
        vgpu_doctor_row_add(self, "polkit", VGPU_DOCTOR_OK, "knows virt-vgpu's actions", NULL);
}

void
vgpu_doctor_others(VgpuDoctor *self)
{
    check_mdevctl(self);
    check_mdevctl_autostart(self);
    check_policy(self);
    check_polkit(self);
}
