"""Makes the files beside it: small tokenizers of the structure of well-known ones, and what other people's code encodes.

Run from this directory with tokenizers 0.22.2, transformers 4.57.6 and sentencepiece 0.2.3.
"""

import io
import json
import random

import sentencepiece
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers.convert_slow_tokenizer import generate_merges

CORPUS = [
    "The cat sat on the mat, and the other cat didn't; they'll say we've won. I'M SURE IT'S DONE, YOU'RE LATE!",
    "Once upon a time there was a little girl named Lily who loved to play outside in the park with her friends.",
    "In 1984 there were 12345 reasons, 3.14159 of them good; call 555-0123 or pay $19.99 (about 20,000 yen).",
    "Grüße aus Köln, naïve café, déjà vu, Ærøskøbing. Größe über alles, Straße und Maß.",
    "Привет, мир! Съешь ещё этих мягких французских булок. Привет, как дела?",
    "你好,世界。今天天气很好! こんにちは世界、カタカナ 안녕하세요 세계",
    "مرحبا بالعالم नमस्ते दुनिया สวัสดีชาวโลก שלום",
    "for (int i = 0; i < n; i++) {\n    sum += x[i];\n\n\t\treturn sum;\r\n}\n\n\n   // done   \n",
    "😀😀 👩‍👩‍👧 👍🏽 🇩🇪 e\u0301 o\u0308 \u00a0\u3000 x² ½ Ⅷ ١٢٣",
    "http://example.org/a?b=c&d=%20#e     five spaces          ten",
]
LLAMA3 = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+"
          r"|\s+(?!\S)|\s+")
QWEN2 = LLAMA3.replace(r"\p{N}{1,3}", r"\p{N}")
TEXTS = CORPUS + [
    "", " ", "  ", "a", "\n", " a", "  a", "a ", "a  ", "\ta", "▁", "a▁b", "▁a", "<s>", "</s>", "<unk>", "<0x41>", "<0x",
    "<|begin_of_text|>hi<|eot_id|>", "<|im_start|>user\nhi<|im_end|>\n", "<|endoftext|>",
    "x <tool_call>\n{}</tool_call> y", "<tool_call><tool_call", "x  <strip>  y", "word words  word", "ﬁne é e\u0301 Å Å",
    "'S 'ſ 'T 'LL 'll 'lL 'Re'VE'd'D ''s 's's x'sx 'ſx", "12 123 1234 12345678 ١٢٣٤ ½½½½ x1y22", "!!!\n\n??\r\n.\n x",
    " \n \n x", "\n\n  x", "x\n\n  ", "x \u00a0\u2003y", "a\u0085b\u2028c\u001cd", "𝔘𝔫𝔦 𝟘𝟙𝟚𝟛", "\u200b\ufeff\u180e x",
    "\U0010ffff \U000f0000 \ud7ff", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", " " * 70 + "x" + "\n" * 40,
]


def mixtures(n):
    rng = random.Random(20261127)
    for _ in range(n):
        yield "".join(t[(k := rng.randrange(len(t))): k + 1 + rng.randrange(5)] for t in rng.choices([t for t in TEXTS if t], k=10))


def special(*names):
    return [AddedToken(name, special=True, normalized=False) for name in names]


def trained(pre_tokenizer, normalizer, specials, others=(), ignore_merges=False):
    tokenizer = Tokenizer(models.BPE(ignore_merges=ignore_merges))
    tokenizer.pre_tokenizer = pre_tokenizer
    tokenizer.decoder = decoders.ByteLevel()
    if normalizer:
        tokenizer.normalizer = normalizer
    trainer = trainers.BpeTrainer(vocab_size=420, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False)
    tokenizer.train_from_iterator(CORPUS, trainer)
    tokenizer.add_special_tokens(special(*specials))
    if others:
        tokenizer.add_tokens(list(others))
    return tokenizer


def byte_level(split):
    return pre_tokenizers.Sequence([
        pre_tokenizers.Split(Regex(split), "isolated"),
        pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
    ])


def gpt2():
    tokenizer = trained(pre_tokenizers.ByteLevel(add_prefix_space=False), None, ["<|endoftext|>"])
    tokenizer.post_processor = processors.ByteLevel(trim_offsets=False)
    return tokenizer


def llama3():
    tokenizer = trained(byte_level(LLAMA3), None, ["<|begin_of_text|>", "<|end_of_text|>", "<|eot_id|>"], ignore_merges=True)
    document = json.loads(tokenizer.to_str())
    # Pieces that no merge makes, as LLaMA 3's vocabulary has them: they come from ignore_merges alone.
    vocab = document["model"]["vocab"]
    end = len(vocab)
    for i, token in enumerate(["ĠLily", "Ġreasonsxyz", "ĠÅĵ", "ĠĠĠĠĠĠĠĠĠĠĠĠĠĠĠĠ"]):
        assert token not in vocab, token
        vocab[token] = end + i
    for i, token in enumerate(document["added_tokens"]):
        token["id"] = len(vocab) + i
    tokenizer = Tokenizer.from_str(json.dumps(document))
    bos = "<|begin_of_text|>"
    tokenizer.post_processor = processors.Sequence([
        processors.ByteLevel(trim_offsets=False),
        processors.TemplateProcessing(single=f"{bos} $A", pair=f"{bos} $A {bos}:1 $B:1",
                                      special_tokens=[(bos, tokenizer.token_to_id(bos))]),
    ])
    return tokenizer


def qwen2():
    others = [AddedToken("<tool_call>", special=False, normalized=False),
              AddedToken("</tool_call>", special=False, normalized=False),
              AddedToken("<strip>", special=False, normalized=False, lstrip=True, rstrip=True),
              AddedToken("word", special=False, normalized=True, single_word=True),
              AddedToken("e\u0301\u00a7", special=False, normalized=True)]
    tokenizer = trained(byte_level(QWEN2), normalizers.NFC(), ["<|endoftext|>", "<|im_start|>", "<|im_end|>"], others)
    tokenizer.post_processor = processors.ByteLevel(trim_offsets=False)
    return tokenizer


def smollm2():
    steps = [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    tokenizer = trained(pre_tokenizers.Sequence(steps), None, ["<|endoftext|>", "<|im_start|>", "<|im_end|>"])
    document = json.loads(tokenizer.to_str())
    # Some bytes have no token, as in SmolLM2's: they are left out of what is encoded.
    vocab = document["model"]["vocab"]
    for byte in "ôõö÷":
        del vocab[byte]
    order = sorted(vocab, key=vocab.get)
    document["model"]["vocab"] = {token: i for i, token in enumerate(order)}
    for i, token in enumerate(document["added_tokens"]):
        token["id"] = len(vocab) + i
    return Tokenizer.from_str(json.dumps(document))


def pieces():
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(CORPUS * 3), model_writer=model, model_type="bpe", vocab_size=560, byte_fallback=True,
        character_coverage=0.98, normalization_rule_name="identity", remove_extra_whitespaces=False,
        split_digits=True, allow_whitespace_only_pieces=True, user_defined_symbols=["<user>"], minloglevel=2)
    return sentencepiece.SentencePieceProcessor(model_proto=model.getvalue())


def sentence_piece_json(processor, metaspace):
    size = processor.get_piece_size()
    vocab = {processor.id_to_piece(i): i for i in range(size)}
    scores = {processor.id_to_piece(i): processor.get_score(i) for i in range(size)}
    tokenizer = Tokenizer(models.BPE(vocab, generate_merges(vocab, scores), unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    if metaspace:
        tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="first", split=False)
    else:
        tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    tokenizer.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)])
    tokenizer.add_special_tokens(special("<unk>", "<s>", "</s>"))
    tokenizer.add_tokens([AddedToken("<user>", special=False, normalized=False)])
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A", pair="<s> $A <s>:1 $B:1", special_tokens=[("<s>", 1)])
    return tokenizer


def write(name, tokenizer):
    with open(f"{name}.json", "w") as file:
        file.write(json.dumps(json.loads(tokenizer.to_str()), ensure_ascii=False, separators=(",", ":")))
    tokenizer.encode_special_tokens = True  # the rule of this library's encode
    texts = TEXTS + list(mixtures(150))
    goldens = [{"text": text,
                "ids": tokenizer.encode(text, add_special_tokens=False).ids,
                "framed": tokenizer.encode(text).ids,
                "decoded": tokenizer.decode(tokenizer.encode(text).ids)} for text in texts]
    with open(f"{name}.goldens.json", "w") as file:
        file.write("[" + ",\n".join(json.dumps(golden) for golden in goldens) + "]\n")


def write_pieces(processor):
    kinds = [("is_unknown", 2), ("is_control", 3), ("is_unused", 5), ("is_byte", 6)]
    ids = range(processor.get_piece_size())
    types = [next((code for test, code in kinds if getattr(processor, test)(i)), 1) for i in ids]
    types[processor.piece_to_id("<user>")] = 4
    model = {"tokens": [processor.id_to_piece(i) for i in ids],
             "scores": [processor.get_score(i) for i in ids],
             "types": types}
    texts = TEXTS + list(mixtures(150))
    model["goldens"] = [{"text": text, "ids": processor.encode(text), "decoded": processor.decode(processor.encode(text))}
                        for text in texts]
    with open("pieces.json", "w") as file:
        json.dump(model, file)


if __name__ == "__main__":
    write("gpt2", gpt2())
    write("llama3", llama3())
    write("qwen2", qwen2())
    write("smollm2", smollm2())
    processor = pieces()
    write("llama2", sentence_piece_json(processor, metaspace=False))
    write("mistral", sentence_piece_json(processor, metaspace=True))
    write_pieces(processor)
