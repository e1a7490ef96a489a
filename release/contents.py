"""What the self-contained app takes in and what it leaves out, and why.

PyInstaller's specification (`fer_live.spec`) asks here. A place is a path inside the folder, with
"/" on every system.
"""

from fnmatch import fnmatch

BUILD_TOOLS = {
    *("pip", "setuptools", "wheel", "pyinstaller", "pyinstaller-hooks-contrib", "altgraph"),
}
"""What is in the environment of the build and not in the app."""

EXCLUDED_MODULES = (
    # The toolkit, which is for people who have Python.
    *("torch", "torchvision", "kornia", "safetensors", "training", "export", "onnxscript"),
    # What the packages name and the app never reaches.
    *("IPython", "tkinter", "pip", "setuptools", "wheel", "pytest", "sphinx"),
    *("pandas.tests", "numpy.tests", "matplotlib.tests", "pyarrow.tests", "onnx.backend.test"),
    *("onnxruntime.quantization", "onnxruntime.tools", "onnxruntime.transformers"),
    *("mediapipe.tasks.python.metadata", "mediapipe.tasks.python.test", "sounddevice"),
    *("pyarrow.flight", "pyarrow.substrait", "pyarrow.orc", "pyarrow.gandiva"),
    *("sqlite3", "readline", "curses", "matplotlib.pyplot"),
    # The app uses QtCore, QtGui, QtSvg and QtWidgets.
    *("PyQt6.QtQml", "PyQt6.QtQuick", "PyQt6.QtPdf", "PyQt6.QtMultimedia", "PyQt6.QtSql"),
    *("PyQt6.QtNetwork", "PyQt6.QtDesigner", "PyQt6.QtBluetooth", "PyQt6.QtOpenGL"),
)

LEFT_OUT = {
    # CUDA and TensorRT need gigabytes of libraries more; `pip install '.[gpu]'` is the way to them.
    "*onnxruntime_providers_cuda*": "CUDA",
    "*onnxruntime_providers_tensorrt*": "TensorRT",
    "*libcublas*": "CUDA",
    "*libcudnn*": "CUDA",
    "*libcudart*": "CUDA",
    "*libcufft*": "CUDA",
    "*libnvinfer*": "TensorRT",
    "*libnvonnxparser*": "TensorRT",
    # OpenCV's own Qt shows windows that the app never opens; its plugins would be taken for Qt's.
    "cv2/qt/*": "the app's windows are PyQt6's",
    "cv2/data/*": "faces are found by MediaPipe",
    "PyQt6/Qt6/qml/*": "no QML",
    "PyQt6/Qt6/translations/*": "the app brings its own texts",
    "PyQt6/Qt6/plugins/sqldrivers/*": "no database",
    "PyQt6/Qt6/plugins/multimedia/*": "video is read by PyAV and OpenCV",
    "PyQt6/Qt6/plugins/platforms/libqvnc*": "a window, or none",
    "PyQt6/Qt6/plugins/platforms/libqlinuxfb*": "a window, or none",
    "PyQt6/Qt6/plugins/platforms/libqvkkhrdisplay*": "a window, or none",
    "PyQt6/Qt6/plugins/platforms/libqeglfs*": "a window, or none",
    "PyQt6/Qt6/plugins/egldeviceintegrations/*": "a window, or none",
    "PyQt6/Qt6/plugins/generic/*": "input devices without a desktop",
    "PyQt6/Qt6/plugins/networkinformation/*": "Qt opens no connection",
    "PyQt6/Qt6/plugins/tls/*": "Qt opens no connection",
    "PyQt6/Qt6/plugins/imageformats/libqpdf*": "no PDF",
    "PyQt6/Qt6/plugins/platformthemes/libqgtk3*": "the app has a look of its own",
    # Each with the modules that load it. libarrow_substrait stays: others load it.
    "*libarrow_flight*": "no remote tables",
    "*libarrow_python_flight*": "no remote tables",
    "*libarrow_s3*": "no remote tables",
    "pyarrow/_flight*": "no remote tables",
    "pyarrow/_s3fs*": "no remote tables",
    "pyarrow/_gcsfs*": "no remote tables",
    "pyarrow/_azurefs*": "no remote tables",
    "pyarrow/_hdfs*": "no remote tables",
    "pyarrow/libarrow*.so": "the same library under another name",
    "pyarrow/libarrow*.so.*.*": "the same library under another name",
    "*/pyarrow/include/*": "for compilers",
    "pyarrow/include/*": "for compilers",
    "pyarrow/*.pyx": "for compilers",
    "pyarrow/*.pxi": "for compilers",
    "pyarrow/*.pxd": "for compilers",
    "pyarrow/src/*": "for compilers",
    "pyarrow/tests/*": "tests",
    "onnx/backend/test/*": "tests",
    "pandas/tests/*": "tests",
    "matplotlib/mpl-data/sample_data/*": "examples",
    "matplotlib/mpl-data/images/*": "buttons of windows that it never opens",
    "fer_live/assets/*.py": "how an asset was made",
    "fer_live/assets/*.safetensors": "what training starts from, which needs torch",
}
"""Pattern of places -> why it is not in the folder."""

FROM_THE_SYSTEM = (
    # Drivers of the graphics card load these; a second, older one beside them breaks windows.
    *("libstdc++.so*", "libgcc_s.so*", "libGL.so*", "libGLX.so*", "libGLdispatch.so*"),
    *("libEGL.so*", "libGLESv2.so*", "libOpenGL.so*", "libdrm.so*", "libgbm.so*"),
    # One of each per desktop session: they speak its protocols or read its configuration.
    *("libX11.so*", "libX11-xcb.so*", "libxcb.so*", "libXau.so*", "libXdmcp.so*", "libXext.so*"),
    *("libwayland-*.so*", "libfontconfig.so*", "libfreetype.so*", "libexpat.so*"),
    *("libglib-2.0.so*", "libgthread-2.0.so*", "libgobject-2.0.so*", "libgio-2.0.so*"),
    *("libgmodule-2.0.so*", "libdbus-1.so*", "libsystemd.so*", "libz.so*", "libuuid.so*"),
    *("libcap.so*", "libgcrypt.so*", "libgpg-error.so*", "liblz4.so*", "liblzma.so*"),
    *("libmvec.so*", "libpng16.so*", "libjpeg.so*", "libbrotli*.so*", "libbsd.so*", "libmd.so*"),
    *("libcrypto.so*", "libssl.so*", "libffi.so*", "libbz2.so*", "libzstd.so*"),
)
"""Libraries that the Debian package depends on and every Linux desktop has. Only those count that
lie at the top of the folder: what a wheel brings for itself stays."""


def is_carried_along(place: str) -> bool:
    """Whether a library is in the folder only for others that load it: the system's at the top,
    and Qt's own."""
    is_of_the_system = "/" not in place and ".so." in place and not place.startswith("libpython")
    return place.startswith("PyQt6/Qt6/lib/") or is_of_the_system


def reason_left_out(place: str) -> str:
    """Why a file is not in the folder; empty where it is."""
    for pattern, reason in LEFT_OUT.items():
        if fnmatch(place, pattern):
            return reason
    if "/" not in place and any(fnmatch(place, pattern) for pattern in FROM_THE_SYSTEM):
        return "the system's own"
    return ""
