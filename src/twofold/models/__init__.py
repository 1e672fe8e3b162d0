"""Models: from a folder of weights to a compiled graph that turns tokens into vectors."""

import sys

# OpenVINO's package sends an event to its maker each time it is imported, through this module, and writes to the home
# folder. Where the module cannot be imported it sends nothing; all imports of OpenVINO are in this package.
sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
