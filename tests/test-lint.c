/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Conflicts with a vGPU, and malformed elements that were meant as an annotation. */
#include "test.h"

#include <string.h>

#include "domain/lint.h"

#define QEMU_NS "xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'"
#define OURS "xmlns:vgpu='urn:virt-vgpu:domain:1'"

/* The annotation is on line 2, what follows it from line 3 on. */
#define DOMAIN(annotation, rest)                                                                 \
    "<domain type='kvm' " QEMU_NS "><name>web1</name><uuid>6f0c5c1e-7a0b-4b57-9c1d-3b1f0a7c9e10" \
    "</uuid>\n<metadata>" annotation "</metadata>\n" rest "</domain>"
#define ANNOTATION(devices) "<vgpu:devices " OURS ">" devices "</vgpu:devices>"
#define ONE ANNOTATION("<vgpu:device profile='NVIDIA A2-4Q'/>")
#define TWO ANNOTATION("<vgpu:device profile='NVIDIA A2-4Q' count='2'/>")
#define KEPT                                                                                     \
    ANNOTATION(                                                                                  \
        "<vgpu:device profile='NVIDIA A2-4Q' uuid='11111111-2222-4333-8444-555555555555'/>")
#define OF(xml) DOMAIN(ONE, xml)
#define DEVICES(xml) OF("<devices>\n" xml "</devices>")
#define ARG(value) "<qemu:arg value='-set'/>\n<qemu:arg value='" value "'/>"
#define ARGS(xml) "<qemu:commandline>" xml "</qemu:commandline>"
#define OVERRIDE(alias, property)                                                                \
    "<qemu:override>\n<qemu:device alias='" alias "'><qemu:frontend>\n" property                 \
    "</qemu:frontend></qemu:device></qemu:override>"
#define RAMFB_ON "<qemu:property name='ramfb' type='bool' value='true'/>"
#define MDEV(attributes, children)                                                               \
    "<hostdev mode='subsystem' type='mdev' " attributes "><source>"                              \
    "<address uuid='11111111-2222-4333-8444-555555555555'/></source>" children "</hostdev>"
#define USB "<hostdev mode='subsystem' type='usb'><source><vendor id='0x1'/></source></hostdev>"
#define PCI(bus, function)                                                                       \
    "<hostdev mode='subsystem' type='pci' managed='yes'><source><address domain='0x0000' "       \
    "bus='0x" bus "' slot='0x00' function='0x" function "'/></source></hostdev>"
#define VNC "<graphics type='vnc'/>"

#define NOT_HAD(where, name, then)                                                               \
    "warning: <qemu:" where "> names the device '" name "', which the domain will not have" then
#define NO_ARG(name, then) NOT_HAD("commandline", name, ": QEMU refuses to start" then)
#define IS(n) "; vGPU " n " is called 'ua-vgpu-" n "'"
#define RAMFB(id, first)                                                                         \
    "warning: a second ramfb ('" id "'), beside that of '" first                                 \
    "': QEMU makes only one; write ramfb='off' in <vgpu:device>, or remove this one"
#define BESIDE                                                                                   \
    "warning: the domain already has an mdev <hostdev>, 11111111-2222-4333-8444-555555555555, "  \
    "and the annotated vGPU comes beside it: set uuid='11111111-2222-4333-8444-555555555555' "   \
    "in "                                                                                        \
    "<vgpu:device> to keep it, or remove it"
#define LOCKED(limit, memory)                                                                    \
    "warning: <hard_limit> is " limit " MiB, and the domain has " memory                         \
    " MiB of memory: a vGPU needs all of it locked, so QEMU cannot start; raise it or remove it"
#define SLEEP(state)                                                                             \
    "warning: <suspend-to-" state " enabled='yes'/>: an NVIDIA vGPU does not survive that; "     \
    "write enabled='no'"
#define NO_PCI(machine)                                                                          \
    "warning: the machine type '" machine "' has no PCI bus, which a vGPU needs; use 'q35'"
#define IOMMU                                                                                    \
    "warning: <iommu model='intel'> needs <driver caching_mode='on'/> beside a vGPU: QEMU "      \
    "refuses an assigned device without it"
#define VIDEO(type)                                                                              \
    "note: <video> '" type "' is a second display beside the vGPU's; with the guest's driver "   \
    "installed, <model type='none'/> leaves the vGPU's alone"
#define DROPPED(tag, where)                                                                      \
    "error: " tag " is in " where ", where libvirt drops it: it belongs in <metadata>"
#define BARE(name)                                                                               \
    "error: <" name "> has no namespace, and libvirt drops it: an annotation is "                \
    "<vgpu:devices xmlns:vgpu=\"urn:virt-vgpu:domain:1\"> in <metadata>"
#define NEARLY(space, tag)                                                                       \
    "error: the namespace '" space "' of " tag                                                   \
    " is not that of an annotation, urn:virt-vgpu:domain:1"
#define BOUND(tag, space)                                                                        \
    "error: the prefix of " tag " is bound to '" space "', not to urn:virt-vgpu:domain:1"

/* 0000:41:00.4 and .5 are virtual functions of the GPU 0000:41:00.0. */
static char *
gpu_of_vf(const char *address, gpointer opaque)
{
    return g_strdup(g_str_equal(address, "0000:41:00.4") || g_str_equal(address, "0000:41:00.5")
                        ? "0000:41:00.0"
                        : NULL);
}

static char *
text_of(const GPtrArray *lints)
{
    g_autoptr(GString) text = g_string_new(NULL);

    for (guint i = 0; i < lints->len; i++) {
        const VgpuLint *lint = lints->pdata[i];

        g_string_append_printf(text, "%s%ld %s: %s", i ? "\n" : "", lint->line,
                               vgpu_lint_severity_text(lint->severity), lint->text);
    }
    return g_string_free(g_steal_pointer(&text), FALSE);
}

typedef struct {
    const char *name;
    const char *xml;
    const char *expected;
} Case;

static void
check(const Case *cases, gsize n)
{
    static const VgpuLintHost host = { .gpu_of_vf = gpu_of_vf };

    for (gsize i = 0; i < n; i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(VgpuDomain) domain =
            vgpu_domain_parse(cases[i].xml, strlen(cases[i].xml), "t", &error);
        g_autoptr(GPtrArray) lints = domain ? vgpu_lint_domain(domain, &host) : NULL;
        g_autofree char *text = lints ? text_of(lints) : g_strdup(error->message);

        if (g_strcmp0(text, cases[i].expected) != 0)
            fail_msg("%s:\n  got      %s\n  expected %s", cases[i].name, text, cases[i].expected);
    }
}

static void
test_names(void **state)
{
    static const Case cases[] = {
        { "nothing said", OF(""), "" },
        { "as the Arch wiki has it", OF(ARGS(ARG("device.hostdev0.x-igd-opregion=on"))),
          "4 " NO_ARG("hostdev0", IS("0")) },
        { "the right name", OF(ARGS(ARG("device.ua-vgpu-0.x-igd-opregion=on"))), "" },
        { "no vGPU annotated", DOMAIN("", ARGS(ARG("device.hostdev0.x-igd-opregion=on"))), "" },
        { "a device that libvirt names otherwise", OF(ARGS(ARG("device.video0.vgamem_mb=64"))),
          "" },
        { "one of the user's is called so",
          OF(ARGS(ARG("device.hostdev0.x-pci-vendor-id=1")) "<devices>" USB "</devices>"), "" },
        { "the next hostdev is ours",
          OF(ARGS(ARG("device.hostdev1.ramfb=on")) "<devices>" USB "</devices>"),
          "4 " NO_ARG("hostdev1", IS("0")) },
        { "the second of two", DOMAIN(TWO, ARGS(ARG("device.hostdev1.x=1"))),
          "4 " NO_ARG("hostdev1", IS("1")) },
        { "the first of two, behind a user's",
          DOMAIN(TWO, ARGS(ARG("device.hostdev1.x=1")) "<devices>" USB "</devices>"),
          "4 " NO_ARG("hostdev1", IS("0")) },
        { "a network card is numbered, too",
          OF(ARGS(ARG("device.hostdev0.x=1")) "<devices><interface type='hostdev'/></devices>"),
          "" },
        { "a hostdev with its own alias is not",
          OF(ARGS(ARG("device.hostdev0.x=1")) "<devices><hostdev mode='subsystem' type='usb'>"
                                              "<alias name='ua-usb'/></hostdev></devices>"),
          "4 " NO_ARG("hostdev0", IS("0")) },
        { "kept by its UUID, it is numbered",
          DOMAIN(KEPT, ARGS(ARG("device.hostdev0.x=1")) "<devices>" MDEV("", "") "</devices>"),
          "" },
        { "made by the command line",
          OF(ARGS(
              "<qemu:arg value='-device'/><qemu:arg value='vfio-pci,id=hostdev0,host=1'/>" ARG(
                  "device.hostdev0.x=1"))),
          "" },
        { "and as JSON",
          OF(ARGS("<qemu:arg value='-device'/><qemu:arg value='{\"id\":\"hostdev0\"}'/>" ARG(
              "device.hostdev0.x=1"))),
          "" },
        { "one whose name begins so is another",
          OF(ARGS("<qemu:arg value='-device'/><qemu:arg value='x,id=hostdev01'/>" ARG(
              "device.hostdev0.x=1"))),
          "4 " NO_ARG("hostdev0", IS("0")) },
        { "a number too high", OF(ARGS(ARG("device.ua-vgpu-1.x=1"))),
          "4 " NO_ARG("ua-vgpu-1", IS("0")) },
        { "a user's alias that nothing has", OF(ARGS(ARG("device.ua-gpu.x=1"))),
          "4 " NO_ARG("ua-gpu", IS("0")) },
        { "a user's alias",
          OF(ARGS(ARG("device.ua-nic.x=1")) "<devices><interface type='network'>"
                                            "<alias name='ua-nic'/></interface></devices>"),
          "" },
        { "as on spice-devel", OF(OVERRIDE("hostdev0", "<qemu:property name='xres'/>")),
          "4 " NOT_HAD("override", "hostdev0", IS("0")) },
        { "the right name there", OF(OVERRIDE("ua-vgpu-0", "<qemu:property name='xres'/>")), "" },
    };

    check(cases, G_N_ELEMENTS(cases));
}

static void
test_ramfb(void **state)
{
    static const Case cases[] = {
        { "the vGPU's own", OF("<devices>" VNC "</devices>"), "" },
        { "set once more for the same device",
          OF(ARGS(ARG("device.ua-vgpu-0.ramfb=on")) "<devices>" VNC "</devices>"), "" },
        { "set for the second vGPU",
          DOMAIN(TWO, ARGS(ARG("device.ua-vgpu-1.ramfb=on")) "<devices>" VNC "</devices>"),
          "4 " RAMFB("ua-vgpu-1", "ua-vgpu-0") },
        { "overridden for the user's device",
          OF(OVERRIDE("hostdev0", RAMFB_ON) "<devices>" VNC USB "</devices>"),
          "5 " RAMFB("hostdev0", "ua-vgpu-0") },
        { "overridden to off",
          OF(OVERRIDE("hostdev0",
                      "<qemu:property name='ramfb' value='false'/>") "<devices>" VNC USB
                                                                     "</devices>"),
          "" },
        { "a video of that model", DEVICES(VNC "\n<video><model type='ramfb'/></video>"),
          "5 " RAMFB("<video> 0", "ua-vgpu-0") },
        { "a device of the command line",
          OF(ARGS("<qemu:arg value='-device'/>\n<qemu:arg value='ramfb'/>") "<devices>" VNC
                                                                            "</devices>"),
          "4 " RAMFB("-device ramfb", "ua-vgpu-0") },
        { "without graphics the vGPU has none",
          OF(ARGS("<qemu:arg value='-device'/>\n<qemu:arg value='ramfb'/>")), "" },
        { "two that are not ours",
          DOMAIN(KEPT,
                 ARGS(ARG("device.ua-x.ramfb=on")) "<devices>\n<disk><alias "
                                                   "name='ua-x'/></disk>" MDEV(
                                                       "ramfb='on'",
                                                       "<alias name='ua-old'/>") "</devices>"),
          "4 " RAMFB("ua-x", "ua-old") },
    };

    check(cases, G_N_ELEMENTS(cases));
}

static void
test_hostdevs(void **state)
{
    static const Case cases[] = {
        { "an mdev of the user's", DEVICES(MDEV("model='vfio-pci'", "")), "4 " BESIDE },
        { "without a model", DEVICES("\n" MDEV("", "")), "5 " BESIDE },
        { "as oVirt names it", DEVICES(MDEV("model='vfio-pci'", "<alias name='ua-gpu-vgpu-0'/>")),
          "4 " BESIDE },
        { "kept", DOMAIN(KEPT, "<devices>" MDEV("model='vfio-pci'", "") "</devices>"), "" },
        { "no GPU at all", DEVICES(MDEV("model='vfio-ap'", "")), "" },
        { "ours, of another domain",
          DEVICES(MDEV("model='vfio-pci'", "<alias name='ua-vgpu-0'/>")), "" },
        { "no vGPU annotated", DOMAIN("", "<devices>" MDEV("model='vfio-pci'", "") "</devices>"),
          "" },
        { "a VF of a GPU", DEVICES(PCI("41", "4")),
          "4 warning: the domain already has a <hostdev> of 0000:41:00.4, a virtual function of "
          "GPU 0000:41:00.0, and the annotated vGPU comes beside it: remove the <hostdev>" },
        { "another function", DEVICES(PCI("42", "4")), "" },
    };

    check(cases, G_N_ELEMENTS(cases));
}

static void
test_machine(void **state)
{
    static const Case cases[] = {
        { "a limit below the memory",
          OF("<memory unit='GiB'>8</memory><memtune>\n<hard_limit "
             "unit='G'>4</hard_limit></memtune>"),
          "4 " LOCKED("4096", "8192") },
        { "in KiB, as libvirt writes it",
          OF("<memory>4194304</memory><memtune><hard_limit>4194303</hard_limit></memtune>"),
          "3 " LOCKED("4095", "4096") },
        { "powers of ten",
          OF("<memory unit='MiB'>1000</memory><memtune>"
             "<hard_limit unit='MB'>1000</hard_limit></memtune>"),
          "3 " LOCKED("953", "1000") },
        { "as large as none is",
          OF("<memory unit='PiB'>1</memory><memtune><hard_limit "
             "unit='PB'>1</hard_limit></memtune>"),
          "3 " LOCKED("953674316", "1073741824") },
        { "larger yet",
          OF("<memory unit='E'>1</memory><memtune><hard_limit "
             "unit='EB'>1</hard_limit></memtune>"),
          "3 " LOCKED("953674316406", "1099511627776") },
        { "as much as the memory",
          OF("<memory unit='GiB'>4</memory><memtune><hard_limit>4194304</hard_limit></memtune>"),
          "" },
        { "unlimited",
          OF("<memory>4194304</memory><memtune><hard_limit>9007199254740991</hard_limit></"
             "memtune>"),
          "" },
        { "no number", OF("<memory>x</memory><memtune><hard_limit>1</hard_limit></memtune>"),
          "" },
        { "sleeps",
          OF("<pm><suspend-to-mem enabled='yes'/>\n<suspend-to-disk enabled='no'/></pm>"),
          "3 " SLEEP("mem") },
        { "hibernates", OF("<pm>\n<suspend-to-disk enabled='yes'/></pm>"), "4 " SLEEP("disk") },
        { "GVT-g may",
          DOMAIN(ANNOTATION("<vgpu:device profile='i915-GVTg_V5_4'/>"),
                 "<pm><suspend-to-mem enabled='yes'/></pm>"),
          "" },
        { "no PCI", OF("<os>\n<type machine='microvm'>hvm</type></os>"), "4 " NO_PCI("microvm") },
        { "no PCI for long", OF("<os><type machine='isapc'>hvm</type></os>"),
          "3 " NO_PCI("isapc") },
        { "q35", OF("<os><type machine='pc-q35-9.2'>hvm</type></os>"), "" },
        { "an IOMMU for the guest", DEVICES("<iommu model='intel'/>"), "4 " IOMMU },
        { "without caching",
          DEVICES("\n<iommu model='intel'><driver intremap='on' caching_mode='off'/></iommu>"),
          "5 " IOMMU },
        { "with caching", DEVICES("<iommu model='intel'><driver caching_mode='on'/></iommu>"),
          "" },
        { "of another kind", DEVICES("<iommu model='smmuv3'/>"), "" },
        { "virt-manager's video", DEVICES(VNC "\n<video><model type='virtio'/></video>"),
          "5 " VIDEO("virtio") },
        { "no video", DEVICES(VNC "<video><model type='none'/></video>"), "" },
        { "a video, and no display of the vGPU",
          DOMAIN(ANNOTATION("<vgpu:device profile='NVIDIA A2-4Q' display='off'/>"),
                 "<devices>" VNC "<video><model type='vga'/></video></devices>"),
          "" },
    };

    check(cases, G_N_ELEMENTS(cases));
}

static void
test_stray(void **state)
{
    static const Case cases[] = {
        { "nothing annotated", DOMAIN("", ""), "" },
        { "among the devices", DOMAIN("", "<devices>\n" ONE "</devices>"),
          "4 " DROPPED("<vgpu:devices>", "<devices>") },
        { "in the <os>", DOMAIN("", "<os><vgpu:device " OURS " profile='x'/></os>"),
          "3 " DROPPED("<vgpu:device>", "<os>") },
        { "beside a right one", DOMAIN(ONE, "<devices>" ONE "</devices>"),
          "3 " DROPPED("<vgpu:devices>", "<devices>") },
        { "with another prefix",
          DOMAIN("", "<features><g:devices xmlns:g='urn:virt-vgpu:domain:2'/></features>"),
          "3 " DROPPED("<g:devices>", "<features>") },
        { "in another's metadata", DOMAIN("<a:app xmlns:a='urn:a'>" ONE "</a:app>", ""),
          "2 error: <vgpu:devices> is in <a:app>, where virt-vgpu does not read it: it belongs "
          "directly in <metadata>" },
        { "in a second <metadata>", DOMAIN("", "<metadata>\n" ONE "</metadata>"),
          "4 error: <vgpu:devices> is in a second <metadata>, which libvirt drops: it belongs "
          "in the first" },
        { "a letter too much", DOMAIN("<vgpu:devices xmlns:vgpu='urn:virt-vgpu:domains:1'/>", ""),
          "2 " NEARLY("urn:virt-vgpu:domains:1", "<vgpu:devices>") },
        { "without the hyphen", DOMAIN("<devices xmlns='urn:virtvgpu:domain:1'/>", ""),
          "2 " NEARLY("urn:virtvgpu:domain:1", "<devices>") },
        { "in capitals", DOMAIN("<v:devices xmlns:v='URN:VIRT-VGPU:DOMAIN:1'/>", ""),
          "2 " NEARLY("URN:VIRT-VGPU:DOMAIN:1", "<v:devices>") },
        { "as a place on the web", DOMAIN("", "<vgpu:x xmlns:vgpu='http://virt-vgpu.org/1'/>"),
          "3 " NEARLY("http://virt-vgpu.org/1", "<vgpu:x>") },
        { "no namespace", DOMAIN("<devices><device profile='A2-4Q'/></devices>", ""),
          "2 " BARE("devices") },
        { "no namespace, one only", DOMAIN("\n<device pool='design'/>", ""),
          "3 " BARE("device") },
        { "no namespace, among the devices",
          DOMAIN("", "<devices>\n<device profile='A2-4Q'/></devices>"), "4 " BARE("device") },
        { "a foreign prefix", DOMAIN("<vgpu:devices xmlns:vgpu='http://acme.example/'/>", ""),
          "2 " BOUND("<vgpu:devices>", "http://acme.example/") },
        { "a foreign prefix without devices",
          DOMAIN("<vgpu:x xmlns:vgpu='http://acme.example/'/>", ""), "" },
        { "an undeclared prefix", DOMAIN("<vgpu:devices/>", ""),
          "2 error: the prefix of <vgpu:devices> is not declared: write "
          "xmlns:vgpu=\"urn:virt-vgpu:domain:1\"" },
        { "foreign elements in it",
          DOMAIN("<app:a xmlns:app='urn:a'><device profile='x'/><devices/></app:a>",
                 "<devices><disk device='disk'/></devices>"),
          "" },
    };

    check(cases, G_N_ELEMENTS(cases));
}

static void
test_errors_come_out(void **state)
{
    static const char xml[] = DOMAIN(ONE, "<devices>" MDEV("", "") ONE "</devices>");
    g_autoptr(VgpuDomain) domain = vgpu_domain_parse(xml, strlen(xml), "t", NULL);
    g_autoptr(GPtrArray) lints = vgpu_lint_domain(domain, NULL);
    g_autoptr(GPtrArray) none = g_ptr_array_new();

    assert_int_equal(lints->len, 2);
    assert_int_equal(vgpu_lint_find_error(lints)->severity, VGPU_LINT_ERROR);
    assert_null(vgpu_lint_find_error(none));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),    cmocka_unit_test(test_ramfb),
        cmocka_unit_test(test_hostdevs), cmocka_unit_test(test_machine),
        cmocka_unit_test(test_stray),    cmocka_unit_test(test_errors_come_out),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
