"""`fer-train`: the commands of the training toolkit."""

import argparse
import json
from pathlib import Path
from typing import Any

from fer_live.base.console import ArgumentParser, check_output_file, require_packages, run_command
from fer_live.errors import FerLiveError, InputError, RefusedError

LABEL_RULES = ("ferplus-argmax", "ferplus-majority", "fer2013")


def main() -> None:
    """Entry point of `fer-train`."""
    arguments = _parser().parse_args()

    def command() -> int:
        require_packages("train", "torch", "kornia", "safetensors", "tomlkit")
        return int(arguments.run(arguments))

    run_command("fer-train", command)


def _parser() -> ArgumentParser:
    parser = ArgumentParser(prog="fer-train", description="Train and evaluate expression models.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    fit = commands.add_parser("fit", help="train a model by a config")
    fit.add_argument("--config", type=Path, required=True, metavar="FILE.toml")
    fit.add_argument("--out", type=Path, required=True, metavar="RUN_DIR")
    fit.add_argument("--data", metavar="KIND:DIR", help="instead of the config's data.source")
    fit.add_argument("--resume", action="store_true", help="go on where the run in --out stopped")
    fit.set_defaults(run=_fit)

    evaluate = commands.add_parser("evaluate", help="measure a model on a data set")
    evaluate.add_argument("model", type=Path, help=".onnx, .safetensors or a run folder")
    evaluate.add_argument(
        "--data", required=True, metavar="KIND:DIR", help="fer2013, raf-db, affectnet or folder"
    )
    evaluate.add_argument(
        "--split",
        help="fer2013: Training, PublicTest or PrivateTest; raf-db: train or test; "
        "affectnet: training or validation",
    )
    evaluate.add_argument("--labels", choices=LABEL_RULES, help="fer2013 alone")
    evaluate.add_argument("--detect", action="store_true", help="find and crop the faces first")
    evaluate.add_argument(
        "--classes",
        choices=("all", "present"),
        help="folder: the labels that the model may choose among (default: all)",
    )
    evaluate.add_argument(
        "--without", type=Path, metavar="FILE.json", help="a split.json of images to leave out"
    )
    evaluate.add_argument("--json", type=Path, metavar="FILE", help="write the figures there")
    evaluate.set_defaults(run=_evaluate)

    compare = commands.add_parser(
        "compare", help="measure models side by side, every recall with its interval"
    )
    compare.add_argument("models", type=Path, nargs="+", metavar="MODEL")
    _add_measured_on(compare)
    compare.add_argument(
        "--without", type=Path, metavar="FILE.json", help="a split.json of images to leave out"
    )
    compare.set_defaults(run=_compare)

    robustness = commands.add_parser(
        "robustness", help="measure models on images that a webcam spoilt, in three strengths"
    )
    robustness.add_argument("models", type=Path, nargs="+", metavar="MODEL")
    _add_measured_on(robustness)
    robustness.set_defaults(run=_robustness)

    calmness = commands.add_parser(
        "calmness", help="measure how often the shown label switches, and how late it does"
    )
    calmness.add_argument("model", type=Path, help=".onnx, .safetensors or a run folder")
    _add_measured_on(calmness)
    calmness.add_argument("--clips", type=_positive, default=20, metavar="N", help="default: 20")
    calmness.add_argument("--seed", type=int, default=0)
    calmness.set_defaults(run=_calmness)

    calibrate = commands.add_parser("calibrate", help="fit a checkpoint's temperature")
    calibrate.add_argument("model", type=Path, help=".safetensors or a run folder")
    _add_measured_on(calibrate)
    calibrate.add_argument(
        "--logit-adjustment",
        type=float,
        default=0.0,
        metavar="T",
        help="first answer rare classes more often; below 0: less often (default: 0)",
    )
    calibrate.add_argument("--out", type=Path, required=True, metavar="FILE.safetensors")
    calibrate.set_defaults(run=_calibrate)

    card = commands.add_parser("card", help="put a model card, Markdown, into a checkpoint")
    card.add_argument("model", type=Path, help=".safetensors or a run folder")
    card.add_argument("--text", type=Path, required=True, metavar="FILE.md")
    card.add_argument("--out", type=Path, required=True, metavar="FILE.safetensors")
    card.set_defaults(run=_card)

    personal = commands.add_parser("personalize", help="retrain a model on one's own clips")
    personal.add_argument(
        "--clips",
        type=Path,
        nargs="+",
        required=True,
        metavar="DIR",
        help="of clips or images of the person, without labels",
    )
    personal.add_argument(
        "--labeled", type=Path, metavar="DIR", help="DIR/<label>/ of clips or images of the person"
    )
    personal.add_argument(
        "--from",
        type=Path,
        dest="start",
        metavar="CHECKPOINT",
        help="the model to begin with (default: the shipped one)",
    )
    personal.add_argument("--out", type=Path, required=True, metavar="RUN_DIR")
    personal.add_argument(
        "--track",
        nargs="+",
        default=[],
        metavar="WHOSE",
        help="where several people are in a clip: largest, all, a face's number, or CLIP:NUMBER",
    )
    personal.add_argument("--json", type=Path, metavar="FILE", help="write the figures there")
    personal.add_argument(
        "--progress", action="store_true", help="a JSON object a line on stdout, for programs"
    )
    personal.set_defaults(run=_personalize)

    persons = commands.add_parser(
        "persons", help="measure retraining on simulated persons, made from a data set"
    )
    persons.add_argument("model", type=Path, help="checkpoint to begin with")
    _add_measured_on(persons)
    persons.add_argument("--config", type=Path, metavar="FILE.toml", help="default: personal.toml")
    persons.add_argument("--runs", type=Path, required=True, metavar="DIR", help="run folders")
    persons.add_argument("--seed", type=int, default=0, help="of which image is whose")
    persons.set_defaults(run=_persons)

    config = commands.add_parser("config", help="print every field of a config with its default")
    config.add_argument("--method", default="supervised", help="also its [options]")
    config.set_defaults(run=_config)

    grid = commands.add_parser("grid", help="run methods x budgets x seeds, or what is missing")
    grid.add_argument("--config", type=Path, required=True, metavar="FILE.toml")
    grid.add_argument("--out", type=Path, required=True, metavar="DIR", help="for the results")
    grid.add_argument(
        "--runs", type=Path, metavar="DIR", help="for the run folders (default: OUT/runs)"
    )
    grid.add_argument("--jobs", type=int, default=1, metavar="N", help="cells side by side")
    grid.add_argument("--data", metavar="KIND:DIR", help="instead of the config's data.source")
    grid.set_defaults(run=_grid)

    report = commands.add_parser("report", help="make tables and plots of a grid's results")
    report.add_argument("folder", type=Path, metavar="DIR", help="--out of the grid")
    report.set_defaults(run=_report)

    split = commands.add_parser("split", help="draw a share of a data set and save the list")
    split.add_argument("--data", required=True, metavar="KIND:DIR")
    split.add_argument("--split", help="part of the data set (default: its training part)")
    split.add_argument("--labels", choices=LABEL_RULES, default=LABEL_RULES[0])
    split.add_argument("--share", type=float, required=True, help="of each class, 0 to 1")
    split.add_argument("--seed", type=int, default=0)
    split.add_argument("--out", type=Path, required=True, metavar="FILE.json")
    split.set_defaults(run=_split)

    framing = commands.add_parser("framing", help="measure where faces lie in a data set's images")
    framing.add_argument("--data", required=True, metavar="fer2013:DIR")
    framing.set_defaults(run=_framing)
    return parser


def _add_measured_on(command: argparse.ArgumentParser) -> None:
    """Which images a command measures on, and where its figures go."""
    command.add_argument("--data", required=True, metavar="KIND:DIR")
    command.add_argument("--split", help="as of evaluate")
    command.add_argument("--labels", choices=LABEL_RULES, help="fer2013 alone")
    command.add_argument("--json", type=Path, metavar="FILE", help="write the figures there")


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of at least 1")
    return int(text)


def _fit(arguments: argparse.Namespace) -> int:
    from training.config import load_config
    from training.loop.train import fit

    config = load_config(arguments.config)
    if arguments.data:
        data = config.data.model_copy(update={"source": arguments.data})
        config = config.model_copy(update={"data": data})
    try:
        metrics = fit(config, arguments.out, resume=arguments.resume)
    except KeyboardInterrupt:
        raise FerLiveError("interrupted; --resume goes on from the last checkpoint") from None
    for name, figures in metrics.items():
        print(f"{name}: accuracy {figures['accuracy']:.4f}, macro-F1 {figures['macro_f1']:.4f}")
    print(f"model: {arguments.out / 'model.safetensors'}")
    return 0


def _evaluate(arguments: argparse.Namespace) -> int:
    from training.measure.evaluate import evaluate, summary

    if arguments.json:
        check_output_file(arguments.json, (".json",))
    report = evaluate(
        arguments.model,
        arguments.data,
        split=arguments.split,
        rule=arguments.labels,
        detect=arguments.detect,
        classes=arguments.classes,
        without=arguments.without,
    )
    print(summary(report))
    _write_json(arguments.json, report)
    return 0


def _write_json(path: Path | None, content: dict[str, Any]) -> None:
    from fer_live.base.atomic_file import write_atomically

    if path is not None:
        write_atomically(path, json.dumps(content, indent=2).encode() + b"\n")


def _compare(arguments: argparse.Namespace) -> int:
    from training.measure.comparison import compare, to_markdown

    if arguments.json:
        check_output_file(arguments.json, (".json",))
    reports = compare(
        arguments.models,
        arguments.data,
        split=arguments.split,
        rule=arguments.labels,
        without=arguments.without,
    )
    print(to_markdown(reports), end="")
    _write_json(arguments.json, reports)
    return 0


def _robustness(arguments: argparse.Namespace) -> int:
    from training.measure.robustness import measure_robustness, to_markdown

    if arguments.json:
        check_output_file(arguments.json, (".json",))
    result = measure_robustness(
        arguments.models, arguments.data, split=arguments.split, rule=arguments.labels
    )
    print(to_markdown(result), end="")
    _write_json(arguments.json, result)
    return 0


def _calmness(arguments: argparse.Namespace) -> int:
    from training.measure.calmness import measure_calmness, to_markdown

    if arguments.json:
        check_output_file(arguments.json, (".json",))
    result = measure_calmness(
        arguments.model,
        arguments.data,
        split=arguments.split,
        rule=arguments.labels,
        n_clips=arguments.clips,
        seed=arguments.seed,
    )
    print(to_markdown(result), end="")
    _write_json(arguments.json, result)
    return 0


def _calibrate(arguments: argparse.Namespace) -> int:
    from training.measure.calibration import calibrate, summary

    check_output_file(arguments.out, (".safetensors",))
    if arguments.json:
        check_output_file(arguments.json, (".json",))
    figures = calibrate(
        arguments.model,
        arguments.data,
        arguments.out,
        split=arguments.split,
        rule=arguments.labels,
        logit_adjustment=arguments.logit_adjustment,
    )
    print(summary(figures))
    _write_json(arguments.json, figures)
    return 0


def _card(arguments: argparse.Namespace) -> int:
    from training.models.checkpoint import put_card

    check_output_file(arguments.out, (".safetensors",))
    put_card(arguments.model, arguments.text, arguments.out)
    return 0


def _personalize(arguments: argparse.Namespace) -> int:
    require_packages("export", "onnxscript")
    from export.build import build_models

    if arguments.json:
        check_output_file(arguments.json, (".json",))
    from training.personalize.progress import show_bar, tell_program
    from training.personalize.run import personalize
    from training.personalize.task import PersonalizeOptions

    options = PersonalizeOptions(
        tuple(arguments.clips),
        arguments.labeled,
        arguments.start,
        arguments.out,
        tuple(arguments.track),
    )
    try:
        with (tell_program if arguments.progress else show_bar)() as report:
            proof, figures = personalize(options, build_models, report)
    except KeyboardInterrupt:
        raise FerLiveError("interrupted; the same command resumes it") from None
    _write_json(arguments.json, figures)
    if proof.passes:
        print(f"{proof.verdict()}\nto install it: fer-live models install {arguments.out}")
        return 0
    if proof.may_ask:
        print(
            f"{proof.verdict()}\nto choose, and to install it if you prefer it: "
            f"fer-live models install {arguments.out}"
        )
        return 0
    raise RefusedError(f"{arguments.out}: {proof.verdict()}; it should not be installed")


def _persons(arguments: argparse.Namespace) -> int:
    from training.config import load_config
    from training.personalize.retrain import CONFIG
    from training.personalize.trial import to_markdown, try_persons

    if arguments.json:
        check_output_file(arguments.json, (".json",))
    result = try_persons(
        arguments.model,
        arguments.data,
        arguments.runs,
        load_config(arguments.config or CONFIG),
        split=arguments.split,
        rule=arguments.labels,
        seed=arguments.seed,
    )
    print(to_markdown(result), end="")
    _write_json(arguments.json, result)
    return 0


def _config(arguments: argparse.Namespace) -> int:
    from training.config import config_to_toml, parse_config

    config = parse_config({"run": {"method": arguments.method}}, "--method")
    print(config_to_toml(config), end="")
    return 0


def _grid(arguments: argparse.Namespace) -> int:
    from training.study.grid import run_grid

    if arguments.jobs < 1:
        raise InputError(f"--jobs {arguments.jobs}: at least 1")
    runs = arguments.runs or arguments.out / "runs"
    try:
        failed = run_grid(
            arguments.config, arguments.out, runs, jobs=arguments.jobs, data=arguments.data
        )
    except KeyboardInterrupt:
        raise FerLiveError(
            "interrupted; the same command goes on from the last checkpoints"
        ) from None
    if failed:
        raise FerLiveError(f"{failed} cells failed, the others are in {arguments.out}")
    return 0


def _report(arguments: argparse.Namespace) -> int:
    from training.study.report import write_report

    print(write_report(arguments.folder))
    return 0


def _split(arguments: argparse.Namespace) -> int:
    from training.data.sources import draw_list
    from training.data.splits import save_list

    check_output_file(arguments.out, (".json",))
    if not 0 < arguments.share <= 1:
        raise InputError(f"--share {arguments.share}: above 0, at most 1")
    drawn = draw_list(
        arguments.data, arguments.split, arguments.labels, arguments.share, arguments.seed
    )
    save_list(arguments.out, drawn)
    print(f"{len(drawn.ids)} of {drawn.n_images} images: {arguments.out}")
    return 0


def _framing(arguments: argparse.Namespace) -> int:
    from training.measure.framing import measure_framing

    print(json.dumps(measure_framing(arguments.data), indent=2))
    return 0


if __name__ == "__main__":
    main()
