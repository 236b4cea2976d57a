#include "domain/hostdev.h"

#include "base/error.h"
#include "base/names.h"
#include "base/pciaddr.h"
#include "domain/schema.h"

char *
vgpu_hostdev_libvirt_text(gulong libvirt)
{
    return g_strdup_printf("%lu.%lu.%lu", libvirt / 1000000, libvirt / 1000 % 1000,
                           libvirt % 1000);
}

bool
vgpu_hostdev_is_mdev(const VgpuWant *self)
{
    return self->interface == VGPU_INTERFACE_NONE || self->interface == VGPU_INTERFACE_MDEV;
}

char *
vgpu_hostdev_device_text(const VgpuWant *self)
{
    return vgpu_hostdev_is_mdev(self) ? g_strdup(self->uuid) : g_strdup_printf("VF %s", self->vf);
}

static bool
check_libvirt(const VgpuDomain *domain, const VgpuWant *want, VgpuPicture picture, gulong libvirt,
              GError **error)
{
    g_autofree char *version = vgpu_hostdev_libvirt_text(libvirt);

    if (libvirt < VGPU_LIBVIRT_VENDOR_VFIO)
        return vgpu_schema_refuse(error, VGPU_ERROR_NOT_SUPPORTED, domain->what, want->line,
                                  "vGPU %u is on NVIDIA's vendor-specific VFIO, which needs "
                                  "libvirt 9.7 or newer; this is %s",
                                  want->index, version);
    if ((picture.display || picture.ramfb) && libvirt < VGPU_LIBVIRT_PCI_DISPLAY)
        return vgpu_schema_refuse(error, VGPU_ERROR_NOT_SUPPORTED, domain->what, want->line,
                                  "vGPU %u is on NVIDIA's vendor-specific VFIO, where %s needs "
                                  "libvirt 10.3 or newer; this is %s; write display='off' to go "
                                  "without",
                                  want->index, picture.display ? "a display" : "ramfb", version);
    return true;
}

bool
vgpu_hostdev_check(const VgpuDomain *domain, const VgpuWant *want, VgpuPicture picture,
                   gulong libvirt, GError **error)
{
    if (vgpu_hostdev_is_mdev(want))
        return true;
    if (want->interface == VGPU_INTERFACE_VENDOR_VFIO && libvirt &&
        !check_libvirt(domain, want, picture, libvirt, error))
        return false;
    if (want->interface == VGPU_INTERFACE_VF && (picture.display || picture.ramfb))
        return vgpu_schema_refuse(error, VGPU_ERROR_NOT_SUPPORTED, domain->what, want->line,
                                  "vGPU %u is a plain VF, which can have neither display nor "
                                  "ramfb; leave them out, or write 'off'",
                                  want->index);
    if (!want->vf)
        return vgpu_schema_refuse(error, VGPU_ERROR_BUSY, domain->what, want->line,
                                  "vGPU %u is to be on a VF, but no VF chosen yet; try again "
                                  "in a moment",
                                  want->index);
    return true;
}

/* Only a PCI hostdev may be silent about its picture: of an mdev libvirt wants to know it. */
static char *
format_attributes(const VgpuWant *want, VgpuPicture picture)
{
    g_autofree char *shown =
        g_strdup_printf(" display='%s' ramfb='%s'", picture.display ? "on" : "off",
                        picture.ramfb ? "on" : "off");

    if (vgpu_hostdev_is_mdev(want))
        return g_strconcat("type='mdev' model='vfio-pci'", shown, NULL);
    return g_strconcat("type='pci' managed='",
                       want->interface == VGPU_INTERFACE_VF ? "yes" : "no", "'",
                       picture.display || picture.ramfb ? shown : "", NULL);
}

/* In the form in which libvirt writes it; some hosts have PCI domains of more than four
 * digits. */
static char *
format_source(const VgpuWant *want)
{
    VgpuPciAddr addr = { 0 };

    if (vgpu_hostdev_is_mdev(want))
        return g_strdup_printf("<address uuid='%s'/>", want->uuid);
    if (!vgpu_pciaddr_parse(want->vf, &addr))
        g_critical("vGPU %u is on '%s'", want->index, want->vf);
    return g_strdup_printf("<address domain='0x%04x' bus='0x%02x' slot='0x%02x' "
                           "function='0x%x'/>",
                           addr.domain, addr.bus, addr.slot, addr.function);
}

char *
vgpu_hostdev_format(const VgpuWant *want, VgpuPicture picture, const char *address)
{
    g_autofree char *attributes = format_attributes(want, picture);
    g_autofree char *source = format_source(want);

    return g_strdup_printf("<hostdev mode='subsystem' %s><source>%s</source>"
                           "<alias name='" VGPU_ALIAS_PREFIX "%u'/>%s</hostdev>",
                           attributes, source, want->index, address ? address : "");
}

bool
vgpu_hostdev_names(const VgpuHostdev *self, const VgpuWant *want)
{
    if (vgpu_hostdev_is_mdev(want)) /* of which libvirt ignores `managed` */
        return g_strcmp0(self->uuid, want->uuid) == 0;
    return g_strcmp0(self->source, want->vf) == 0 &&
           self->managed == (want->interface == VGPU_INTERFACE_VF);
}
