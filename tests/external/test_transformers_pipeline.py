"""A real transformers pipeline, small and untrained, made without any download."""

import numpy as np
import pytest

import glassbench

transformers = pytest.importorskip("transformers")


@pytest.fixture
def pipeline(tmp_path):
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "good", "bad", "day"]
    (tmp_path / "vocab.txt").write_text("\n".join(words))
    tokenizer = transformers.BertTokenizerFast(vocab=str(tmp_path / "vocab.txt"))
    config = transformers.BertConfig(
        vocab_size=len(words),
        hidden_size=8,
        num_hidden_layers=1,
        num_attention_heads=1,
        intermediate_size=8,
        id2label={0: "bad", 1: "good"},
        label2id={"bad": 0, "good": 1},
    )
    model = transformers.BertForSequenceClassification(config).train()
    return transformers.pipeline("text-classification", model=model, tokenizer=tokenizer, device="cpu")


@pytest.mark.filterwarnings("ignore")
def test_its_labels_and_scores_are_audited(pipeline, tmp_path):
    texts = ["good day", "bad day", "good good", "day"] * 5
    truth = ["good", "bad", "good", "bad"] * 5
    run = glassbench.audit(pipeline, texts, truth, audits=["performance"], runs=tmp_path / "runs")
    assert pipeline.model.training
    pipeline.model.eval()
    expected = np.mean([answer["label"] == t for answer, t in zip(pipeline(texts), truth, strict=True)])
    accuracy = next(m.value for m in run.measures if m.name == "performance.accuracy")
    assert accuracy == pytest.approx(expected)
