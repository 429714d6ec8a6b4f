"""What transformers makes of the templates (*.jinja) in a directory:  python published.py DIRECTORY"""
import datetime
import json
import pathlib
import sys

from transformers.utils import chat_template_utils


class Clock:
    @staticmethod
    def now():
        return datetime.datetime(2026, 11, 27, 5, 9, 5)


chat_template_utils.datetime = Clock


def conversation(*texts, system=None):
    messages = [{"role": "system", "content": system}] if system else []
    for i, text in enumerate(texts):
        messages.append({"role": "assistant" if i % 2 else "user", "content": text})
    return messages


CONVERSATIONS = [
    conversation("Hello"),
    conversation(" Hi there \n", system="Be brief."),
    conversation("a", "b <x>"),
    conversation("What?", " That. ", "And\nnow?"),
    conversation("1", "2", "3", "4", "5 \"quoted\" 'x' {{ y }}", system="You are kind.\n"),
    conversation("1", "2", system="s"),
]
result = []
for file in sorted(pathlib.Path(sys.argv[1]).glob("*.jinja")):
    source = file.read_bytes().decode("utf-8")
    for messages in CONVERSATIONS:
        for generation in (False, True):
            case = {"name": file.name, "template": source, "messages": messages, "gen": generation}
            try:
                case["render"] = chat_template_utils.render_jinja_template(
                    [messages], chat_template=source, add_generation_prompt=generation, bos_token="<s>", eos_token="</s>"
                )[0][0]
            except Exception as e:
                case["error"] = str(e)
            result.append(case)
print(json.dumps(result))
