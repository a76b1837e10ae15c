"""Calls a function of a file with JSON, as the sender's runtime does: call.py FILE FUNCTION JSON"""
import importlib.util
import json
import sys

path, name, argument = sys.argv[1:]
spec = importlib.util.spec_from_file_location("snippet", path)
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
getattr(module, name)(json.loads(argument), None)
