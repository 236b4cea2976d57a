/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One pool: XML to data, error messages, its GPUs, profiles, tenants and domains, and the
 * displayed document. */
#include "test.h"

#include <string.h>
#include <time.h>

#include "base/error.h"
#include "base/names.h"
#include "base/xml.h"
#include "pool/pool.h"
#include "relaxng.h"

#define NAME "<name>design</name>"
#define SOURCE "<source><gpu address='0000:41:00.0'/></source>"
/* A pool of one GPU with @body in it. */
#define POOL(body) "<vgpupool>" NAME SOURCE body "</vgpupool>"
/* One whose GPUs are @sources. */
#define FROM(sources) "<vgpupool>" NAME "<source>" sources "</source></vgpupool>"

static VgpuPool *
parse(const char *xml, GError **error)
{
    return vgpu_pool_parse(xml, strlen(xml), "design.xml", error);
}

static VgpuPool *
parse_good(const char *what, const char *xml)
{
    g_autoptr(GError) error = NULL;
    VgpuPool *pool = parse(xml, &error);

    if (!pool)
        fail_msg("%s: %s", what, error->message);
    return pool;
}

/* Whether the public schema accepts it. */
static bool
schema_takes(const char *xml)
{
    g_autoptr(xmlDoc) doc = vgpu_xml_parse(xml, strlen(xml), "design.xml", NULL);

    return doc && relaxng_takes("virt-vgpu-pool.rng", doc);
}

/* --- reading ------------------------------------------------------------------------------- */

static void
add(GString *text, const char *name, const char *value)
{
    if (value)
        g_string_append_printf(text, "%s%s=%s", text->len ? " " : "", name, value);
}

static void
add_switch(GString *text, const char *name, VgpuSwitch value)
{
    if (value != VGPU_SWITCH_AUTO)
        add(text, name, value == VGPU_SWITCH_ON ? "on" : "off");
}

static void
add_number(GString *text, const char *name, guint value)
{
    g_string_append_printf(text, " %s=%u", name, value);
}

static void
add_sources(GString *text, const VgpuPool *pool)
{
    for (guint i = 0; i < pool->sources->len; i++) {
        const VgpuPoolSource *source = g_ptr_array_index(pool->sources, i);

        g_string_append(text, text->len ? " ;" : ";");
        add(text, "address", source->address);
        add(text, "vendor", source->vendor);
        add(text, "product", source->product);
        add(text, "subsystemVendor", source->subsystem_vendor);
        add(text, "subsystemProduct", source->subsystem_product);
        add(text, "driver", source->driver);
        if (source->interface != VGPU_INTERFACE_NONE)
            add(text, "interface", vgpu_interface_to_string(source->interface));
        if (source->numa_node >= 0)
            add_number(text, "node", (guint) source->numa_node);
    }
}

static void
add_lists(GString *text, const VgpuPool *pool)
{
    for (guint i = 0; i < pool->profiles->len; i++) {
        const VgpuPoolProfile *profile = g_ptr_array_index(pool->profiles, i);

        add(text, profile->is_default ? "default" : "profile", profile->name);
    }
    for (guint i = 0; i < pool->tenants->len; i++) {
        const VgpuPoolTenant *tenant = g_ptr_array_index(pool->tenants, i);

        add(text, "tenant", tenant->name);
        if (tenant->max != VGPU_POOL_NO_LIMIT)
            add_number(text, "max", tenant->max);
        if (tenant->max_mib != VGPU_POOL_NO_LIMIT)
            add_number(text, "maxMiB", tenant->max_mib);
    }
    for (guint i = 0; i < pool->domains->len; i++) {
        const VgpuPoolDomain *domain = g_ptr_array_index(pool->domains, i);

        add(text, "domain", domain->name);
        add_number(text, "devices", domain->devices);
    }
    for (guint i = 0; i < pool->iso_paths->len; i++)
        add(text, "bundle", g_ptr_array_index(pool->iso_paths, i));
    for (guint i = 0; i < pool->iso_gridd->len; i++)
        add(text, "gridd", g_ptr_array_index(pool->iso_gridd, i));
}

static void
add_defaults(GString *text, const VgpuDefaults *defaults)
{
    add_switch(text, "display", defaults->display);
    add_switch(text, "ramfb", defaults->ramfb);
    add_switch(text, "driverISO", defaults->driver_iso);
    add_switch(text, "keepRoom", defaults->keep_room);
    add_switch(text, "frl", defaults->params[VGPU_PARAM_FRAME_RATE_LIMIT]);
    add_switch(text, "vnc", defaults->params[VGPU_PARAM_CONSOLE_VNC]);
    add_switch(text, "uvm", defaults->params[VGPU_PARAM_UNIFIED_MEMORY]);
    add_switch(text, "debugging", defaults->params[VGPU_PARAM_DEBUGGING]);
    add_switch(text, "profiling", defaults->params[VGPU_PARAM_PROFILING]);
    if (defaults->placement_given)
        add_number(text, "placement", defaults->placement);
}

/* Everything but name, UUID and document, as one line; the one GPU of POOL() is left out. */
static char *
tell(const VgpuPool *pool)
{
    GString *text = g_string_new(NULL);

    add_sources(text, pool);
    if (g_str_equal(text->str, "; address=0000:41:00.0"))
        g_string_truncate(text, 0);
    add(text, "description", pool->description);
    add_lists(text, pool);
    add_defaults(text, &pool->defaults);
    if (pool->params.allow != VGPU_PARAMS_ANY)
        add(text, "allow", vgpu_params_policy_allow_to_string(pool->params.allow));
    for (guint i = 0; i < pool->params.listed->len; i++)
        add(text, "param", g_ptr_array_index(pool->params.listed, i));
    add(text, "forced", pool->params.forced);
    add(text, "version", pool->driver_version);
    add(text, "iso", pool->iso);
    add(text, "token", pool->iso_token);
    return g_string_free(text, FALSE);
}

static void
test_parse(void **state)
{
    static const struct {
        const char *what;
        const char *xml;
        const char *told;
    } cases[] = {
        { "as little as there can be", POOL(""), "" },
        { "a GPU, as it is written by others",
          FROM("<gpu address='41:00.0'/><gpu address='pci_0000_E1_00_0'/>"),
          "; address=0000:41:00.0 ; address=0000:e1:00.0" },
        { "a rule with all it can have",
          FROM("<match vendor='0x10DE' product='0x25B6' subsystemVendor='0x10DE' "
               "subsystemProduct='0x157E' driver='nvidia' interface='mdev' numaNode='0'/>"),
          "; vendor=0x10de product=0x25b6 subsystemVendor=0x10de subsystemProduct=0x157e "
          "driver=nvidia interface=mdev node=0" },
        { "parameters, none of them", POOL("<params allow='none'/>"), "allow=none" },
        { "parameters, some of them",
          POOL("<params allow='listed'><param name='loglevel'/><param name='debugging'/>"
               "<param name='a' value='1'/></params>"),
          "allow=listed param=loglevel param=debugging forced=a=1" },
        { "parameters that are set",
          POOL("<params><param name='b' value='2'/><param name='a' value='1'/></params>"),
          "forced=b=2,a=1" },
        { "parameters as ever", POOL("<params allow='any'/>"), "" },
        { "rules that differ in the subsystem alone",
          FROM("<match product='0x25b6' subsystemProduct='0x157e'/>"
               "<match product='0x25b6' subsystemProduct='0x14a9'/>"
               "<match product='0x25b6' subsystemVendor='0x10de'/>"),
          "; product=0x25b6 subsystemProduct=0x157e ; product=0x25b6 subsystemProduct=0x14a9 ; "
          "product=0x25b6 subsystemVendor=0x10de" },
        { "rules and GPUs, mixed",
          FROM("<match interface='vendor-vfio'/><gpu address='05:00.0'/><match interface='vf'/>"
               "<match numaNode='12'/>"),
          "; interface=vendor-vfio ; address=0000:05:00.0 ; interface=vf ; node=12" },
        { "description", POOL("<description> CAD seats,\n &lt;2nd floor&gt; </description>"),
          "description= CAD seats,\n <2nd floor> " },
        { "no description in it", POOL("<description/>"), "description=" },
        { "profiles",
          POOL("<profiles><profile name='NVIDIA A2-4Q' default='yes'/>"
               "<profile name='A2-8Q' default='no'/><profile name='746'/></profiles>"),
          "default=NVIDIA A2-4Q profile=A2-8Q profile=746" },
        { "pack", POOL("<placement policy='pack'/>"), " placement=0" },
        { "spread", POOL("<placement policy='spread'/>"), " placement=1" },
        { "numa", POOL("<placement policy='numa'/>"), " placement=2" },
        { "a driver's version", POOL("<driver version='550'/>"), "version=550" },
        { "a long driver's version", POOL("<driver version='2.01.0000-rc1'/>"),
          "version=2.01.0000-rc1" },
        { "no defaults in it", POOL("<defaults/>"), "" },
        { "defaults",
          POOL("<defaults display='on' ramfb='on' frameRateLimit='on' consoleVNC='on' "
               "unifiedMemory='on' debugging='on' profiling='on'/>"),
          "display=on ramfb=on frl=on vnc=on uvm=on debugging=on profiling=on" },
        { "other defaults",
          POOL("<defaults display='off' ramfb='auto' driverISO='no' frameRateLimit='off' "
               "consoleVNC='off' unifiedMemory='off' debugging='off' profiling='off'/>"),
          "display=off driverISO=off frl=off vnc=off uvm=off debugging=off profiling=off" },
        { "room is kept", POOL("<defaults keepRoom='yes'/>"), "keepRoom=on" },
        { "room is not kept", POOL("<defaults keepRoom='no'/>"), "keepRoom=off" },
        { "an image that is there",
          POOL("<defaults driverISO='yes'/><driverISO path='/srv/grid driver.iso'/>"),
          "driverISO=on iso=/srv/grid driver.iso" },
        { "an image that is built",
          POOL("<driverISO path='/a.iso'><gridd key='FeatureType' value='1'/>"
               "<bundle path='/srv/linux.run'/><token path='/srv/client.tok'/>"
               "<bundle path='/srv/windows'/><gridd key='ServerAddress' value=''/></driverISO>"),
          "bundle=/srv/linux.run bundle=/srv/windows gridd=FeatureType=1 gridd=ServerAddress= "
          "iso=/a.iso token=/srv/client.tok" },
        { "tenants",
          POOL("<tenants><tenant name='acme' max='4'/><tenant name='Beta Inc' max='0'/>"
               "</tenants>"),
          "tenant=acme max=4 tenant=Beta Inc max=0" },
        { "tenants with a limit of frame buffer",
          POOL("<tenants><tenant name='a' max='4' maxMiB='32768'/>"
               "<tenant name='b' maxMiB='99999999'/><tenant name='c' maxMiB='0'/></tenants>"),
          "tenant=a max=4 maxMiB=32768 tenant=b maxMiB=99999999 tenant=c maxMiB=0" },
        { "domains",
          POOL("<domains><domain name='cad-*' devices='16'/><domain name='x?'/></domains>"),
          "domain=cad-* devices=16 domain=x? devices=1" },
        { "displayed figures of its use",
          POOL("<usage><profile name='A2-4Q' capacity='4' allocated='1' available='3'/></usage>"),
          "" },
        { "in any order, with blanks and comments",
          "<?xml version='1.0'?>\n<!-- ours -->\n<vgpupool>\n  <placement policy='spread'/>\n"
          "  <source> <!-- the A40 --> <gpu address='0000:41:00.0'/>\n  </source>\n" NAME
          "</vgpupool>\n",
          " placement=1" },
        { "another encoding",
          "<?xml version='1.0' encoding='ISO-8859-1'?>" POOL("<description>\xfc</description>"),
          "description=ü" },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(VgpuPool) pool = parse_good(cases[i].what, cases[i].xml);
        g_autofree char *told = tell(pool);
        g_autofree char *shown = vgpu_pool_format(pool, NULL, 0);
        g_autoptr(VgpuPool) again = parse_good(cases[i].what, shown);
        g_autofree char *retold = tell(again);

        if (!g_str_equal(told, cases[i].told))
            fail_msg("%s: '%s'", cases[i].what, told);
        if (!schema_takes(cases[i].xml))
            fail_msg("%s: the schema refuses it", cases[i].what);
        if (!g_str_equal(retold, told) || !g_str_equal(pool->uuid, again->uuid))
            fail_msg("%s: shown as\n%s", cases[i].what, shown);
        assert_string_equal(pool->name, "design");
    }
}

static void
test_names(void **state)
{
    static const struct {
        const char *what;
        const char *name;
        bool good;
    } cases[] = {
        { "one letter", "a", true },
        { "all that is allowed", "A_z.0-9", true },
        { "an underscore first", "_x", true },
        { "64 characters", "a234567890123456789012345678901234567890123456789012345678901234",
          true },
        { "65 characters", "a2345678901234567890123456789012345678901234567890123456789012345",
          false },
        { "nothing", "", false },
        { "a dot first", ".x", false },
        { "a dash first", "-x", false },
        { "a path", "a/b", false },
        { "the directory above", "..", false },
        { "a blank", "a b", false },
        { "a blank before", " a", false },
        { "an end of line", "a\n", false },
        { "a letter of others", "ä", false },
        { "the name of the implicit pool", "default", false },
        { "a name that begins with it", "default1", true },
        { "that in capitals", "Default", true },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *xml =
            g_strdup_printf("<vgpupool><name>%s</name>" SOURCE "</vgpupool>", cases[i].name);
        g_autoptr(VgpuPool) pool = parse(xml, NULL);

        if (!pool == cases[i].good || schema_takes(xml) != cases[i].good)
            fail_msg("%s: %s", cases[i].what, pool ? "taken" : "refused");
        if (pool && !g_str_equal(pool->name, cases[i].name))
            fail_msg("%s: '%s'", cases[i].what, pool->name);
    }
}

/* uuidgen --sha1 --namespace 3566872a-bb25-46e1-8fcd-c04ef7deda30 --name design */
static void
test_uuid(void **state)
{
    g_autoptr(VgpuPool) without = parse_good("without", POOL(""));
    g_autoptr(VgpuPool) with =
        parse_good("with", POOL("<uuid>6F0C5C1E-7A0B-4B57-9C1D-3B1F0A7C9E10</uuid>"));

    assert_string_equal(without->uuid, "73e639f0-93e2-5507-bae0-f0abf7a83add");
    assert_string_equal(with->uuid, "6f0c5c1e-7a0b-4b57-9c1d-3b1f0a7c9e10");
}

static void
test_mistakes(void **state)
{
    static const struct {
        const char *what;
        const char *xml;
        const char *text;
        bool beyond_schema; /* valid by the schema, which cannot express all rules */
    } cases[] = {
        { "no XML", "hello", "line 1: Start tag expected, '<' not found" },
        { "another document", "<pool/>",
          "line 1: the root is <pool>, a pool begins with "
          "<vgpupool>" },
        { "a namespace", "<vgpupool xmlns='urn:x'>" NAME SOURCE "</vgpupool>",
          "line 1: the root is <vgpupool>, a pool begins with <vgpupool>" },
        { "no name", "<vgpupool>" SOURCE "</vgpupool>", "line 1: <vgpupool> lacks <name>" },
        { "a bad name", "<vgpupool>\n<name>a/b</name>" SOURCE "</vgpupool>",
          "line 2: <name>: 'a/b' is not a pool's name: letters, digits, '_', '.' and '-', not "
          "beginning with '.' or '-', at most 64" },
        { "the implicit pool", "<vgpupool>\n<name>default</name>" SOURCE "</vgpupool>",
          "line 2: the pool 'default' always exists, with the GPUs of no other pool; it cannot "
          "be "
          "defined" },
        { "two names", POOL(NAME), "line 1: a second <name> in <vgpupool>" },
        { "a bad UUID", POOL("\n<uuid>1</uuid>"), "line 2: <uuid>: '1' is not a UUID" },
        { "an unknown word about parameters", POOL("<params allow='some'/>"),
          "line 1: <params>: allow='some' is not one of none|listed|any" },
        { "a parameter that is listed for nothing",
          POOL("<params allow='none'><param name='a'/></params>"),
          "line 1: <param name='a'> has no value, but <params> does not have "
          "allow='listed'",
          true },
        { "a parameter that is listed and set",
          POOL("<params allow='listed'><param name='a'/>\n<param name='a' value='1'/></params>"),
          "line 2: a second <param name='a'>", true },
        { "an unknown element", POOL("<target/>"),
          "line 1: <target> in <vgpupool> is not known; known: <name>, <uuid>, <description>, "
          "<source>, <profiles>, <placement>, <driver>, <defaults>, <params>, <driverISO>, "
          "<tenants>, "
          "<domains>, <usage>" },
        { "an attribute", "<vgpupool type='x'>" NAME SOURCE "</vgpupool>",
          "line 1: <vgpupool> has no attribute 'type'; known: none" },
        { "text", POOL("text"), "line 1: text in <vgpupool> is not allowed" },
        { "an element in a text", POOL("<description><b/></description>"),
          "line 1: <b> in <description> is not known; known: none" },

        { "no source", "<vgpupool>" NAME "</vgpupool>", "line 1: <vgpupool> lacks <source>" },
        { "an empty source", FROM("<!-- none -->"),
          "line 1: <source> is empty: a pool needs a GPU, <gpu address='…'/>, or a rule, "
          "<match …/>" },
        { "a bad address", FROM("\n<gpu address='41'/>"),
          "line 2: <gpu>: address='41' is not a PCI address such as 0000:41:00.0" },
        { "no address", FROM("<gpu/>"), "line 1: <gpu> lacks the attribute 'address'" },
        { "a GPU twice", FROM("<gpu address='0000:41:00.0'/>\n<gpu address='41:00.0'/>"),
          "line 2: the GPU 0000:41:00.0 is named twice", true },
        { "a rule twice",
          FROM("<match vendor='0x10DE' numaNode='1'/>\n<match numaNode='1' vendor='0x10de'/>"),
          "line 2: the same <match> twice", true },
        { "a rule that is none", FROM("<gpu address='41:00.0'/>\n<match/>"),
          "line 2: <match> without attributes matches every GPU; name one of vendor, product, "
          "subsystemVendor, subsystemProduct, driver, interface, numaNode",
          true },
        { "a bad vendor", FROM("<match vendor='10de'/>"),
          "line 1: <match>: vendor='10de' is not a PCI id such as 0x10de" },
        { "a short product", FROM("<match product='0x25b'/>"),
          "line 1: <match>: product='0x25b' is not a PCI id such as 0x25b6" },
        { "a product of other letters", FROM("<match product='0x25bg'/>"),
          "line 1: <match>: product='0x25bg' is not a PCI id such as 0x25b6" },
        { "a bad driver", FROM("<match driver='../x'/>"),
          "line 1: <match>: driver='../x' is not the name of a driver" },
        { "a bad interface", FROM("<match interface='none'/>"),
          "line 1: <match>: interface='none' is not one of mdev|vendor-vfio|vf" },
        { "a bad node", FROM("<match numaNode='-1'/>"),
          "line 1: <match>: numaNode='-1' is not the number of a NUMA node" },
        { "an unknown attribute of a rule", FROM("<match address='41:00.0'/>"),
          "line 1: <match> has no attribute 'address'; known: vendor, product, "
          "subsystemVendor, subsystemProduct, driver, "
          "interface, "
          "numaNode" },

        { "no profile", POOL("<profiles/>"),
          "line 1: <profiles> is empty: leave it out to allow all that the GPUs have" },
        { "a profile without a name", POOL("<profiles><profile default='yes'/></profiles>"),
          "line 1: <profile> lacks the attribute 'name'" },
        { "a profile of blanks", POOL("<profiles><profile name=' '/></profiles>"),
          "line 1: <profile>: name=' ' is not the name or id of a profile" },
        { "a profile twice",
          POOL(
              "<profiles><profile name='A'/><profile name='B'/>\n<profile name='A'/></profiles>"),
          "line 2: a second <profile name='A'>", true },
        { "two defaults",
          POOL("<profiles><profile name='A' default='yes'/>\n<profile name='B' default='yes'/>"
               "</profiles>"),
          "line 2: 'B' is a second default profile, besides 'A'", true },
        { "a bad default", POOL("<profiles><profile name='A' default='on'/></profiles>"),
          "line 1: <profile>: default='on' is not one of yes|no" },

        { "an unknown policy", POOL("<placement policy='random'/>"),
          "line 1: <placement>: policy='random' is not one of pack|spread|numa" },
        { "no policy", POOL("<placement/>"), "line 1: <placement> lacks the attribute 'policy'" },
        { "a bad version", POOL("<driver version='550.'/>"),
          "line 1: <driver>: version='550.' is not a version such as 550.90" },
        { "no version", POOL("<driver version=''/>"),
          "line 1: <driver>: version='' is not a version such as 550.90" },
        { "a bad display", POOL("<defaults display='yes'/>"),
          "line 1: <defaults>: display='yes' is not one of auto|on|off" },
        { "a bad parameter", POOL("<defaults frameRateLimit='auto'/>"),
          "line 1: <defaults>: frameRateLimit='auto' is not one of on|off" },
        { "an unknown default", POOL("<defaults placement='pack'/>"),
          "line 1: <defaults> has no attribute 'placement'; known: display, ramfb, "
          "frameRateLimit, consoleVNC, unifiedMemory, debugging, profiling, driverISO, "
          "keepRoom" },
        { "ramfb without a display", POOL("\n<defaults ramfb='on' display='off'/>"),
          "line 2: <defaults>: ramfb='on' needs a display, which is 'off'", true },
        { "no image", POOL("\n<defaults driverISO='yes'/>"),
          "line 2: <defaults>: driverISO='yes' needs an image, <driverISO path='…'/>", true },

        { "a relative path", POOL("<driverISO path='a.iso'/>"),
          "line 1: <driverISO>: path='a.iso' is not an absolute path" },
        { "the root for a path", POOL("<driverISO path='/'/>"),
          "line 1: <driverISO>: path='/' is not an absolute path" },
        { "two lines for a path", POOL("<driverISO path='/a&#10;b'/>"),
          "line 1: <driverISO>: path='/a b' is not an absolute path" },
        { "a relative bundle", POOL("<driverISO path='/a'><bundle path='b'/></driverISO>"),
          "line 1: <bundle>: path='b' is not an absolute path" },
        { "a bad key",
          POOL("<driverISO path='/a'><bundle path='/b'/><gridd key='a=b' value=''/></driverISO>"),
          "line 1: <gridd>: key='a=b' is not a key such as FeatureType" },
        { "two lines for a value",
          POOL("<driverISO path='/a'><bundle path='/b'/><gridd key='a' value='1&#10;b=2'/>"
               "</driverISO>"),
          "line 1: <gridd>: value='1 b=2' is not printable text" },
        { "a key twice",
          POOL("<driverISO path='/a'><bundle path='/b'/><gridd key='a' value='1'/>\n"
               "<gridd key='a' value='2'/></driverISO>"),
          "line 2: a second <gridd key='a'>", true },
        { "two tokens",
          POOL("<driverISO path='/a'><bundle path='/b'/><token path='/c'/><token path='/d'/>"
               "</driverISO>"),
          "line 1: a second <token> in <driverISO>" },
        { "a token for nothing", POOL("\n<driverISO path='/a'><token path='/c'/></driverISO>"),
          "line 2: <driverISO>: <gridd> and <token> are for an image that is built, from a "
          "<bundle>",
          true },

        { "no tenant", POOL("<tenants/>"),
          "line 1: <tenants> is empty: leave it out to allow all tenants" },
        { "a tenant without a limit", POOL("<tenants>\n<tenant name='a'/></tenants>"),
          "line 2: <tenant name='a'> has no limit; name max (vGPUs) or maxMiB (frame buffer)",
          true },
        { "a limit of frame buffer with a unit",
          POOL("<tenants><tenant name='a' maxMiB='32G'/></tenants>"),
          "line 1: <tenant>: maxMiB='32G' is not a number from 0 to 99999999" },
        { "a limit of frame buffer beyond all there is",
          POOL("<tenants><tenant name='a' maxMiB='100000000'/></tenants>"),
          "line 1: <tenant>: maxMiB='100000000' is not a number from 0 to 99999999" },
        { "a negative limit", POOL("<tenants><tenant name='a' max='-1'/></tenants>"),
          "line 1: <tenant>: max='-1' is not a number from 0 to 9999" },
        { "a limit with a zero before", POOL("<tenants><tenant name='a' max='04'/></tenants>"),
          "line 1: <tenant>: max='04' is not a number from 0 to 9999" },
        { "a tenant twice",
          POOL("<tenants><tenant name='a' max='1'/>\n<tenant name='a' max='2'/></tenants>"),
          "line 2: a second <tenant name='a'>", true },

        { "no domain", POOL("<domains/>"), "line 1: <domains> is empty: leave it out" },
        { "a domain without a name", POOL("<domains><domain devices='1'/></domains>"),
          "line 1: <domain> lacks the attribute 'name'" },
        { "no device", POOL("<domains><domain name='a' devices='0'/></domains>"),
          "line 1: <domain>: devices='0' is not a number from 1 to 16" },
        { "too many devices", POOL("<domains><domain name='a' devices='17'/></domains>"),
          "line 1: <domain>: devices='17' is not a number from 1 to 16" },
        { "a domain twice",
          POOL("<domains><domain name='a*'/>\n<domain name='a*' devices='2'/></domains>"),
          "line 2: a second <domain name='a*'>", true },
        { "a bad count in what was shown",
          POOL("<usage><profile name='A' capacity='x' allocated='0' available='0'/></usage>"),
          "line 1: <profile>: capacity='x' is not a number" },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(VgpuPool) pool = parse(cases[i].xml, &error);
        g_autofree char *text = g_strconcat("design.xml: ", cases[i].text, NULL);
        g_autofree char *told = error ? vgpu_error_text(error) : NULL;

        if (pool)
            fail_msg("%s: taken", cases[i].what);
        if (!g_error_matches(error, VGPU_ERROR, VGPU_ERROR_BAD_REQUEST) ||
            !g_str_equal(told, text))
            fail_msg("%s: %s", cases[i].what, told);
        if (schema_takes(cases[i].xml) != cases[i].beyond_schema)
            fail_msg("%s: the schema says otherwise", cases[i].what);
    }
    vgpu_pool_free(NULL);
}

/* --- decisions ------------------------------------------------------------------------------- */

static void
test_claims(void **state)
{
    static const struct {
        const char *what;
        const char *sources;
        guint claim;
    } cases[] = {
        { "by address", "<gpu address='0000:41:00.0'/>", 2 },
        { "another address", "<gpu address='0000:42:00.0'/>", 0 },
        { "another function", "<gpu address='0000:41:00.1'/>", 0 },
        { "by vendor", "<match vendor='0x10DE'/>", 1 },
        { "another vendor", "<match vendor='0x8086'/>", 0 },
        { "by product", "<match product='0x25b6'/>", 1 },
        { "another product", "<match product='0x25b5'/>", 0 },
        { "by subsystem", "<match subsystemVendor='0x10de' subsystemProduct='0x157E'/>", 1 },
        { "by its product", "<match subsystemProduct='0x157e'/>", 1 },
        { "another product of the subsystem", "<match subsystemProduct='0x14a9'/>", 0 },
        { "another vendor of the subsystem", "<match subsystemVendor='0x1028'/>", 0 },
        { "the same chip on another board",
          "<match vendor='0x10de' product='0x25b6' subsystemProduct='0x14a9'/>", 0 },
        { "by driver", "<match driver='nvidia'/>", 1 },
        { "the beginning of a driver", "<match driver='nvid'/>", 0 },
        { "by interface", "<match interface='mdev'/>", 1 },
        { "another interface", "<match interface='vendor-vfio'/>", 0 },
        { "by node", "<match numaNode='1'/>", 1 },
        { "another node", "<match numaNode='0'/>", 0 },
        { "by all of it",
          "<match vendor='0x10de' product='0x25b6' driver='nvidia' interface='mdev' "
          "numaNode='1'/>",
          1 },
        { "by all but one",
          "<match vendor='0x10de' product='0x25b6' driver='nvidia' interface='mdev' "
          "numaNode='2'/>",
          0 },
        { "the second rule", "<match vendor='0x8086'/><match numaNode='1'/>", 1 },
        { "a rule, and then by address", "<match numaNode='1'/><gpu address='41:00.0'/>", 2 },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *xml =
            g_strdup_printf("<vgpupool>" NAME "<source>%s</source></vgpupool>", cases[i].sources);
        g_autoptr(VgpuPool) pool = parse_good(cases[i].what, xml);
        g_autoptr(VgpuGpu) gpu = vgpu_gpu_new("0000:41:00.0");
        guint claim;

        gpu->vendor_id = g_strdup("0x10de");
        gpu->product_id = g_strdup("0x25b6");
        gpu->subsystem = g_strdup("0x10de:0x157e");
        gpu->driver = g_strdup("nvidia");
        gpu->interface = VGPU_INTERFACE_MDEV;
        gpu->numa_node = 1;
        claim = vgpu_pool_claims(pool, gpu);
        if (claim != cases[i].claim)
            fail_msg("%s: %u", cases[i].what, claim);
    }
}

/* A GPU with hardly any known facts. */
static void
test_claims_unknown(void **state)
{
    g_autoptr(VgpuGpu) gpu = vgpu_gpu_new("0000:41:00.0");
    g_autoptr(VgpuPool) by_driver = parse_good("driver", FROM("<match driver='nvidia'/>"));
    g_autoptr(VgpuPool) by_product = parse_good("product", FROM("<match product='0x25b6'/>"));
    g_autoptr(VgpuPool) by_board =
        parse_good("subsystem", FROM("<match subsystemProduct='0x157e'/>"));
    g_autoptr(VgpuPool) by_node = parse_good("node", FROM("<match numaNode='0'/>"));
    g_autoptr(VgpuPool) named = parse_good("named", POOL(""));

    assert_int_equal(vgpu_pool_claims(by_driver, gpu), 0);
    assert_int_equal(vgpu_pool_claims(by_product, gpu), 0);
    assert_int_equal(vgpu_pool_claims(by_board, gpu), 0);
    assert_int_equal(vgpu_pool_claims(by_node, gpu), 0);
    assert_int_equal(vgpu_pool_claims(named, gpu), 2);
}

static void
test_profiles(void **state)
{
    static const struct {
        const char *what;
        const char *profiles;
        const char *def;
        bool allows; /* NVIDIA A2-4Q, nvidia-746 */
    } cases[] = {
        { "none named", "", NULL, true },
        { "the only one", "<profile name='NVIDIA A2-4Q'/>", "NVIDIA A2-4Q", true },
        { "the only one, which says no", "<profile name='A2-4Q' default='no'/>", "A2-4Q", true },
        { "several", "<profile name='A2-2Q'/><profile name='A2-4Q'/>", NULL, true },
        { "the first of several", "<profile name='746' default='yes'/><profile name='A2-2Q'/>",
          "746", true },
        { "the last of several", "<profile name='A2-2Q'/><profile name='A2-8Q' default='yes'/>",
          "A2-8Q", false },
        { "another one", "<profile name='NVIDIA A2-4'/>", "NVIDIA A2-4", false },
        { "other letters", "<profile name='NVIDIA A2-4q'/>", "NVIDIA A2-4q", false },
    };
    g_autoptr(VgpuProfile) profile = vgpu_profile_new("nvidia-746", "NVIDIA A2-4Q");

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *profiles = g_strdup_printf("<profiles>%s</profiles>", cases[i].profiles);
        g_autofree char *xml = g_strdup_printf("<vgpupool>" NAME SOURCE "%s</vgpupool>",
                                               *cases[i].profiles ? profiles : "");
        g_autoptr(VgpuPool) pool = parse_good(cases[i].what, xml);
        const char *def = vgpu_pool_default_profile(pool);

        if (g_strcmp0(def, cases[i].def) != 0)
            fail_msg("%s: default '%s'", cases[i].what, def);
        if (vgpu_pool_allows(pool, profile) != cases[i].allows)
            fail_msg("%s: %s", cases[i].what, cases[i].allows ? "not allowed" : "allowed");
    }
}

static void
test_domains(void **state)
{
    static const struct {
        const char *domain;
        guint devices;
    } cases[] = {
        { "cad-", 1 },    { "cad-7", 1 },    { "cad-big", 1 }, { "xcad-7", 0 }, { "CAD-7", 0 },
        { "render1", 4 }, { "render12", 0 }, { "render", 0 },  { "", 0 },
    };
    g_autoptr(VgpuPool) pool =
        parse_good("domains",
                   POOL("<domains><domain name='cad-*'/><domain name='cad-big' devices='2'/>"
                        "<domain name='render?' devices='4'/></domains>"));
    g_autoptr(VgpuPool) none = parse_good("none", POOL(""));

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        guint devices = vgpu_pool_devices_for(pool, cases[i].domain);

        if (devices != cases[i].devices)
            fail_msg("%s: %u", cases[i].domain, devices);
        assert_int_equal(vgpu_pool_devices_for(none, cases[i].domain), 0);
    }
}

static void
test_tenants(void **state)
{
    static const struct {
        const char *what;
        const char *tenant;
        guint used;
        const char *text; /* NULL: not refused */
        guint used_mib;
    } cases[] = {
        { "none yet", "acme", 0, NULL },
        { "room for one", "acme", 3, NULL },
        { "all of them", "acme", 4,
          "tenant 'acme' has 4 of the 4 vGPUs that pool 'design' gives it" },
        { "more than all of them", "acme", 5,
          "tenant 'acme' has 5 of the 4 vGPUs that pool 'design' gives it" },
        { "none at all", "beta", 0,
          "tenant 'beta' has 0 of the 0 vGPUs that pool 'design' gives it" },
        { "no tenant", NULL, 0,
          "pool 'design' is for its tenants only (acme, beta, mib), and the domain names none" },
        { "another tenant", "other", 0,
          "pool 'design' is for its tenants only (acme, beta, mib), and 'other' is not one of "
          "them" },
        { "the beginning of one", "acm", 0,
          "pool 'design' is for its tenants only (acme, beta, mib), and 'acm' is not one of "
          "them" },
        { "MiB do not matter to a limit of vGPUs", "acme", 1, NULL, G_MAXUINT - 1 },
        { "vGPUs do not matter to one of MiB", "mib", 99, NULL, 0 },
        { "MiB that are just enough", "mib", 3, NULL, 12288 },
        { "one MiB too few", "mib", 3,
          "tenant 'mib' has 12289 of the 16384 MiB that pool 'design' gives it, and a vGPU "
          "'NVIDIA A2-4Q' takes 4096",
          12289 },
        { "more than can be counted", "mib", 3,
          "tenant 'mib' has 4294967295 of the 16384 MiB that pool 'design' gives it, and a vGPU "
          "'NVIDIA A2-4Q' takes 4096",
          G_MAXUINT },
    };
    g_autoptr(VgpuPool) open = parse_good("open", POOL(""));
    g_autoptr(VgpuPool) pool =
        parse_good("tenants", POOL("<tenants><tenant name='acme' max='4'/>"
                                   "<tenant name='beta' max='0'/>"
                                   "<tenant name='mib' maxMiB='16384'/></tenants>"));
    g_autoptr(VgpuProfile) profile = vgpu_profile_new("nvidia-746", "NVIDIA A2-4Q");
    g_autofree char *unknown = NULL;

    unknown = vgpu_pool_refuses_tenant(pool, "mib", 0, 0, profile);
    assert_string_equal(unknown, "pool 'design' gives tenant 'mib' 16384 MiB, but it is not "
                                 "known how many a vGPU 'NVIDIA A2-4Q' takes");
    profile->fb_mib = 4096;
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *text = vgpu_pool_refuses_tenant(pool, cases[i].tenant, cases[i].used,
                                                         cases[i].used_mib, profile);

        if (g_strcmp0(text, cases[i].text) != 0)
            fail_msg("%s: %s", cases[i].what, text);
        assert_null(vgpu_pool_refuses_tenant(open, cases[i].tenant, 99, 99, profile));
    }
}

static void
test_driver(void **state)
{
    static const struct {
        const char *wanted; /* NULL: any */
        const char *version;
        bool good;
    } cases[] = {
        { NULL, NULL, true },
        { NULL, "550.90.05", true },
        { "550", "550.90.05", true },
        { "550.90", "550.90.05", true },
        { "550.90.05", "550.90.05", true },
        { "550.9", "550.90.05", false },
        { "55", "550.90.05", false },
        { "550.90.05.1", "550.90.05", false },
        { "535", "550.90.05", false },
        { "90", "550.90.05", false },
        { "550", NULL, false },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *driver = g_strdup_printf("<driver version='%s'/>", cases[i].wanted);
        g_autofree char *xml = g_strdup_printf("<vgpupool>" NAME SOURCE "%s</vgpupool>",
                                               cases[i].wanted ? driver : "");
        g_autoptr(VgpuPool) pool = parse_good("driver", xml);

        if (vgpu_pool_accepts_driver(pool, cases[i].version) != cases[i].good)
            fail_msg("%s wanted, %s found: %s", cases[i].wanted, cases[i].version,
                     cases[i].good ? "refused" : "taken");
    }
}

/* --- the displayed document ------------------------------------------------------------------ */

#define UUID "6f0c5c1e-7a0b-4b57-9c1d-3b1f0a7c9e10"

static void
test_format(void **state)
{
    static const VgpuPoolUse uses[] = {
        { "NVIDIA A2-4Q", 4, 1, 3 },
        { "<odd> \"one\"", 0, 0, 0 },
        { "NVIDIA L40S-4Q", VGPU_COUNT_UNKNOWN, 2, VGPU_COUNT_UNKNOWN },
    };
    static const struct {
        const char *what;
        const char *xml;
        guint n;
        const char *shown;
    } cases[] = {
        { "as it is",
          .xml = "<?xml version='1.0'?>\n<!-- ours -->\n<vgpupool>\n    <name>design</name>\n"
                 "    <uuid>" UUID "</uuid>  <!-- mine -->\n    <source>\n"
                 "      <gpu address='41:00.0'/>\n    </source>\n</vgpupool>\n",
          .shown = "<!-- ours -->\n<vgpupool>\n    <name>design</name>\n"
                   "    <uuid>" UUID "</uuid>  <!-- mine -->\n    <source>\n"
                   "      <gpu address=\"41:00.0\"/>\n    </source>\n</vgpupool>\n" },
        { "without a UUID",
          .xml = "<vgpupool>\n    <name>design</name>\n    " SOURCE "\n</vgpupool>\n",
          .shown = "<vgpupool>\n    <name>design</name>\n    "
                   "<uuid>73e639f0-93e2-5507-bae0-f0abf7a83add</uuid>\n"
                   "    <source><gpu address=\"0000:41:00.0\"/></source>\n</vgpupool>\n" },
        { "without a UUID, on one line", .xml = "<vgpupool>" NAME SOURCE "</vgpupool>",
          .shown =
              "<vgpupool><name>design</name><uuid>73e639f0-93e2-5507-bae0-f0abf7a83add</uuid>"
              "<source><gpu address=\"0000:41:00.0\"/></source></vgpupool>\n" },
        { "with its use",
          .xml = "<vgpupool>\n  <name>design</name>\n  <uuid>" UUID "</uuid>\n  " SOURCE
                 "\n</vgpupool>\n",
          .n = 3,
          .shown =
              "<vgpupool>\n  <name>design</name>\n  <uuid>" UUID "</uuid>\n"
              "  <source><gpu address=\"0000:41:00.0\"/></source>\n  <usage>\n"
              "    <profile name=\"NVIDIA A2-4Q\" capacity=\"4\" allocated=\"1\" "
              "available=\"3\"/>\n"
              "    <profile name=\"&lt;odd&gt; &quot;one&quot;\" capacity=\"0\" allocated=\"0\" "
              "available=\"0\"/>\n"
              "    <profile name=\"NVIDIA L40S-4Q\" allocated=\"2\"/>\n"
              "  </usage>\n</vgpupool>\n" },
        { "with what it says of parameters",
          .xml = "<vgpupool>" NAME "<uuid>" UUID "</uuid>" SOURCE
                 "<params allow='listed'><param name='a'/><param name='b' value='1'/></params>"
                 "</vgpupool>",
          .n = 0,
          .shown = "<vgpupool><name>design</name><uuid>" UUID "</uuid>"
                   "<source><gpu address=\"0000:41:00.0\"/></source>"
                   "<params allow=\"listed\"><param name=\"a\"/><param name=\"b\" "
                   "value=\"1\"/></params></vgpupool>\n" },
        { "with its use of another time",
          .xml =
              "<vgpupool>\n  <name>design</name>\n  <usage>\n    <profile name='x' capacity='9' "
              "allocated='9' available='9'/>\n  </usage>\n  <uuid>" UUID "</uuid>\n  " SOURCE
              "\n</vgpupool>\n",
          .n = 1,
          .shown = "<vgpupool>\n  <name>design</name>\n  <uuid>" UUID "</uuid>\n"
                   "  <source><gpu address=\"0000:41:00.0\"/></source>\n  <usage>\n"
                   "    <profile name=\"NVIDIA A2-4Q\" capacity=\"4\" allocated=\"1\" "
                   "available=\"3\"/>\n"
                   "  </usage>\n</vgpupool>\n" },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(VgpuPool) pool = parse_good(cases[i].what, cases[i].xml);
        g_autofree char *shown = vgpu_pool_format(pool, uses, cases[i].n);
        g_autofree char *again = NULL;
        g_autoptr(VgpuPool) defined = parse_good(cases[i].what, shown);

        if (!g_str_equal(shown, cases[i].shown))
            fail_msg("%s:\n%s", cases[i].what, shown);
        again = vgpu_pool_format(defined, uses, cases[i].n);
        if (!g_str_equal(again, shown))
            fail_msg("%s: once more, it is\n%s", cases[i].what, again);
    }
}

/* Users with read access see neither files nor servers, and the document that they see cannot be defined by
 * mistake. */
static void
test_in_part(void **state)
{
    static const char xml[] =
        "<vgpupool>\n  <!-- token in /srv/secret -->\n  <name>design</name>\n"
        "  <description>CAD</description>\n  " SOURCE
        "\n  <profiles><profile name='A'/></profiles>\n"
        "  <params allow='listed'><param name='a'/><param name='b' value='1'/></params>\n"
        "  <driver version='550'/>\n"
        "  <driverISO path='/srv/grid.iso'><bundle path='/srv/secret'/><token "
        "path='/srv/secret.tok'/>"
        "<gridd key='ServerAddress' value='lic.secret'/><!-- secret --></driverISO>\n"
        "</vgpupool>\n";
    g_autoptr(VgpuPool) pool = parse_good("whole", xml);
    g_autoptr(VgpuPool) part = vgpu_pool_in_part(pool);
    g_autoptr(GError) error = NULL;

    (void) state;
    assert_null(strstr(part->xml, "secret"));
    assert_null(strstr(part->xml, "/srv"));
    assert_non_null(strstr(part->xml, "<source><gpu address="));
    assert_non_null(strstr(part->xml, "<driverISO/>"));
    assert_non_null(strstr(part->xml, "<vgpupool>\n  <!-- " VGPU_POOL_IN_PART " -->\n  <name>"));
    assert_null(vgpu_pool_parse(part->xml, strlen(part->xml), "pool", &error));
    assert_non_null(strstr(error->message, "driverISO"));
    assert_null(part->iso);
    assert_null(part->iso_token);
    assert_int_equal(part->iso_paths->len, 0);
    assert_int_equal(part->iso_gridd->len, 0);
    g_clear_pointer(&pool, vgpu_pool_free); /* it has its own */
    assert_string_equal(part->name, "design");
    assert_string_equal(part->description, "CAD");
    assert_string_equal(part->driver_version, "550");
    assert_string_equal(vgpu_pool_default_profile(part), "A");
    assert_int_equal(part->sources->len, 1);
    assert_int_equal(part->params.allow, VGPU_PARAMS_LISTED);
    assert_int_equal(part->params.listed->len, 1);
    assert_string_equal(part->params.forced, "b=1");
}

/* The example of virt-vgpu-pool(5), which may be indented as that needs it. */
static void
test_manual(void **state)
{
    const char *dir = g_getenv("top_srcdir");
    g_autofree char *path = g_build_filename(dir ? dir : ".", "docs/virt-vgpu-pool.5.pod", NULL);
    g_autofree char *page = NULL;
    g_autofree char *told = NULL;
    g_autofree char *example = NULL;
    g_autoptr(VgpuPool) pool = NULL;
    const char *begin, *end;

    if (!g_file_get_contents(path, &page, NULL, NULL))
        fail_msg("%s cannot be read", path);
    begin = strstr(page, " <vgpupool>");
    end = begin ? strstr(begin, "</vgpupool>") : NULL;
    assert_non_null(end);
    example = g_strndup(begin, (gsize) (end - begin) + strlen("</vgpupool>"));
    pool = parse_good("the example", g_strchug(example));
    assert_int_equal(pool->sources->len, 2);
    assert_string_equal(vgpu_pool_default_profile(pool), "NVIDIA A2-4Q");
    assert_int_equal(vgpu_pool_devices_for(pool, "cad-7"), 1);
}

/* All starts on the host would wait while it is parsed. */
static void
test_too_long(void **state)
{
    g_autoptr(GString) xml = g_string_new("<vgpupool><name>p</name><source>");
    g_autoptr(GError) error = NULL;

    (void) state;
    for (guint i = 0; xml->len <= 256 * 1024; i++)
        g_string_append_printf(xml, "<gpu address='%04x:00:00.0'/>", i);
    g_string_append(xml, "</source></vgpupool>");
    assert_null(vgpu_pool_parse(xml->str, xml->len, "pool", &error));
    assert_true(g_error_matches(error, VGPU_ERROR, VGPU_ERROR_BAD_REQUEST));
    assert_string_equal(error->message, "a pool's file has 256 KiB at most");
}

/* The processor's time for a pool of @n tenants, domains and GPUs, the best of three. */
static double
time_of(guint n)
{
    g_autoptr(GString) xml = g_string_new("<vgpupool><name>p</name><source>");
    clock_t best = G_MAXINT;

    for (guint i = 0; i < n; i++)
        g_string_append_printf(xml, "<gpu address='%04x:00:00.0'/>", i);
    g_string_append(xml, "</source><tenants>");
    for (guint i = 0; i < n; i++)
        g_string_append_printf(xml, "<tenant name='%u' max='1'/>", i);
    g_string_append(xml, "</tenants><domains>");
    for (guint i = 0; i < n; i++)
        g_string_append_printf(xml, "<domain name='%u'/>", i);
    g_string_append(xml, "</domains></vgpupool>");
    for (int i = 0; i < 3; i++) {
        clock_t start = clock();
        g_autoptr(VgpuPool) pool = parse_good("a long pool", xml->str);

        best = MIN(best, clock() - start);
        assert_int_equal(pool->tenants->len, n);
    }
    return (double) best;
}

/* Starts wait while a pool is parsed: eight times the entries take about eight times as long, not
 * sixty-four times. */
static void
test_time(void **state)
{
    double few = time_of(350), many = time_of(2800);

    (void) state;
    if (many > 24 * few)
        fail_msg("350: %.0f, 2800: %.0f of %ld a second", few, many, (long) CLOCKS_PER_SEC);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parse),    cmocka_unit_test(test_names),
        cmocka_unit_test(test_uuid),     cmocka_unit_test(test_mistakes),
        cmocka_unit_test(test_claims),   cmocka_unit_test(test_claims_unknown),
        cmocka_unit_test(test_profiles), cmocka_unit_test(test_domains),
        cmocka_unit_test(test_tenants),  cmocka_unit_test(test_driver),
        cmocka_unit_test(test_format),   cmocka_unit_test(test_manual),
        cmocka_unit_test(test_in_part),  cmocka_unit_test(test_too_long),
        cmocka_unit_test(test_time),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
