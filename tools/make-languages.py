#!/usr/bin/env python3
"""Writes assets/languages.tsv from two public lists of the npm registry.

    npm pack windows-locale@1.1.3 lcid@5.1.0     (and unpack both)
    tools/make-languages.py windows-locale/index.json lcid/lcid.json > assets/languages.tsv

windows-locale is the table of Microsoft's document MS-LCID; lcid adds the old ids that later issues of it dropped.
"""

import json
import sys

# 0x1000 is "no id of its own": hundreds of tags share it, so it names none of them.
SHARED = 0x1000
# MS-LCID breaks this line in two in its PDF, and windows-locale took the first half.
REPAIRED = {2051: "ca-ES-valencia"}
# Not BCP 47 (the traditional sort order of es-ES, which is 3082), and Microsoft's pseudo-languages for testing.
LEFT_OUT = {1034, 1281, 1534, 2559}
# Ids only lcid knows, by the tags MS-LCID has for them today.
ADDED = {1085: "yi-001", 1126: "bin-NG", 1127: "ff-NG", 1129: "ibb-NG", 1137: "kr-Latn-NG",
         1142: "la-VA", 2144: "ks-Deva-IN", 7180: "fr-029", 14345: "en-ID"}

table, known = json.load(open(sys.argv[1])), json.load(open(sys.argv[2]))
tags = {row["id"]: row["tag"] for row in table.values() if row["id"] != SHARED}
tags |= REPAIRED
tags |= {lcid: tag for lcid, tag in ADDED.items() if str(lcid) in known}
rows = sorted((tag, lcid) for lcid, tag in tags.items() if lcid not in LEFT_OUT)

print("# BCP 47 tags and Windows LCIDs, sorted by tag. Made by tools/make-languages.py from the npm packages")
print("# windows-locale 1.1.3 (MIT, the table of Microsoft's MS-LCID) and lcid 5.1.0 (MIT). Tags without an id of their own are not in it.")
for tag, lcid in rows:
    print(f"{tag}\t{lcid}")
