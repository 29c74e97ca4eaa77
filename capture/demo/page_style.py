"""How the study's page looks, and the few lines of script that copy a command."""

from __future__ import annotations

from typing import Final

PAGE_HEAD: Final = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>A pilot study by one command (SIMULATED)</title>
<style>
* { box-sizing: border-box; }
body { font: 15px/1.5 system-ui, sans-serif; color: #222; background: #fff; margin: 0; }
main { max-width: 1168px; margin: 0 auto; padding: 24px; }
h1 { font-size: 28px; margin: 0 0 12px; }
h2 { font-size: 20px; margin: 0 0 8px; }
h3 { font-size: 14px; margin: 14px 0 4px; font-weight: 600; }
p { max-width: 900px; margin: 0 0 12px; }
section { border-top: 1px solid #ddd; padding: 22px 0; }
.warning { background: #fff4d6; border-left: 4px solid #d9a404; padding: 10px 14px; max-width: none; }
.cells { display: grid; grid-template-columns: repeat(6, 1fr); gap: 12px; margin: 18px 0 24px; }
.cells div { background: #f5f6f7; border-radius: 6px; padding: 12px 14px; font-size: 13px; color: #555; }
.cells b { display: block; font-size: 26px; line-height: 1.2; color: #222; }
.row { display: flex; flex-wrap: wrap; gap: 20px; align-items: flex-start; }
figure { margin: 0 0 12px; }
figure img { display: block; border-radius: 4px; }
figcaption { font-size: 13px; color: #555; margin-top: 6px; max-width: 540px; }
.face { width: calc((100% - 40px) / 3); }
.face img { width: 100%; }
.plot { width: calc((100% - 40px) / 3); }
svg { display: block; max-width: 100%; height: auto; }
table { border-collapse: collapse; margin: 0 0 16px; font-size: 14px; font-variant-numeric: tabular-nums; }
th, td { padding: 4px 14px 4px 0; border-bottom: 1px solid #e4e4e4; text-align: left; vertical-align: top; }
th { font-weight: 600; color: #555; }
.legend { margin: 0; font-size: 13px; }
.key { margin-right: 14px; white-space: nowrap; }
.key i { display: inline-block; width: 11px; height: 11px; border-radius: 2px; margin-right: 5px; }
details { margin-top: 12px; }
summary { cursor: pointer; color: #44618c; font-size: 13px; }
.commands { position: relative; margin-top: 8px; }
pre { background: #f5f6f7; border-radius: 6px; padding: 12px 84px 12px 14px; margin: 0; font-size: 12.5px;
  line-height: 1.6; white-space: pre-wrap; overflow-wrap: anywhere; }
button { position: absolute; top: 8px; right: 8px; font: inherit; font-size: 12px; padding: 3px 12px; cursor: pointer; }
@media (max-width: 900px) { .cells { grid-template-columns: repeat(3, 1fr); } }
</style></head>
"""
SCRIPT: Final = """<script>
for (const button of document.querySelectorAll(".commands button"))
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(button.nextElementSibling.textContent);
    button.textContent = "Copied";
  });
</script>"""
