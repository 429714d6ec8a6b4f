"""Prints the versions of the peers as one line of JSON; what is missing is left out."""

import importlib.metadata
import json
import platform

versions = {"Python": platform.python_version()}
for name in ("torch", "transformers", "trl", "tokenizers"):
    try:
        versions[name] = importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        pass
print(json.dumps(versions))
