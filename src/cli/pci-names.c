/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/pci-names.h"

#include <string.h>

#include "config.h"

#ifdef HAVE_SYSTEMD
#include <systemd/sd-hwdb.h>
#endif

struct VgpuPciNames {
#ifdef HAVE_SYSTEMD
    sd_hwdb *db;
#else
    char unused;
#endif
};

VgpuPciNames *
vgpu_pci_names_new(void)
{
    VgpuPciNames *self = g_new0(VgpuPciNames, 1);

#ifdef HAVE_SYSTEMD
    if (sd_hwdb_new(&self->db) < 0)
        self->db = NULL;
#endif
    return self;
}

void
vgpu_pci_names_free(VgpuPciNames *self)
{
    if (!self)
        return;
#ifdef HAVE_SYSTEMD
    sd_hwdb_unref(self->db);
#endif
    g_free(self);
}

/* @property of a device with that modalias; "" when it has none. */
static char *
look_up(VgpuPciNames *self, const char *modalias, const char *property)
{
#ifdef HAVE_SYSTEMD
    const char *value = NULL;

    if (self->db && sd_hwdb_get(self->db, modalias, property, &value) >= 0)
        return g_strdup(value);
#endif
    return g_strdup("");
}

char *
vgpu_pci_names_vendor(VgpuPciNames *self, const char *id)
{
    g_autofree char *upper = g_ascii_strup(id, -1);
    g_autofree char *modalias =
        g_strdup_printf("pci:v0000%sd00000000sv00000000sd00000000bc00sc00i00", upper);

    return look_up(self, modalias, "ID_VENDOR_FROM_DATABASE");
}

char *
vgpu_pci_names_class(VgpuPciNames *self, const char *id)
{
    g_autofree char *modalias = NULL;

    if (strlen(id) != 4)
        return g_strdup("");
    modalias =
        g_strdup_printf("pci:v00000000d00000000sv00000000sd00000000bc%.2ssc%.2si00", id, id + 2);
    return look_up(self, modalias, "ID_PCI_SUBCLASS_FROM_DATABASE");
}
